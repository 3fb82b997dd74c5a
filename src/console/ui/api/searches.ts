import { call } from './call.ts'

/** A search that this person keeps. */
export interface SavedSearch {
  readonly name: string
  readonly query: Readonly<Record<string, string>>
}

/** By name. Throws `Failure`, as the next ones. */
export async function listSearches(): Promise<readonly SavedSearch[]> {
  const { body } = await call<{ searches: readonly SavedSearch[] }>('/api/audit/searches')
  return body.searches
}

export async function saveSearch(csrf: string, search: SavedSearch): Promise<void> {
  await call('/api/audit/searches', { method: 'POST', csrf, body: search })
}

export async function forgetSearch(csrf: string, name: string): Promise<void> {
  await call('/api/audit/searches/forget', { method: 'POST', csrf, body: { name } })
}
