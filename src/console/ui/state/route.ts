/** Pages of the menu. */
export const pages = [
  'inbox',
  'activity',
  'usage',
  'evidence',
  'policies',
  'keys',
  'settings',
] as const

export type Page = (typeof pages)[number]

/**
 * Where one is. It is the fragment, so that every address of the console is one file of the
 * server's.
 */
export type Route =
  | { readonly page: Page; readonly query: URLSearchParams }
  | { readonly page: 'approval'; readonly id: string }
  | { readonly page: 'link'; readonly id: string }
  | { readonly page: 'run'; readonly id: string }
  | { readonly page: 'story'; readonly of: 'action' | 'approval'; readonly id: string }

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [place, id, ...more] = path.split('/')
  if (id !== undefined && more.length === 0 && /^[\w-]+$/.test(id)) {
    if (place === 'approvals') return { page: 'approval', id }
    if (place === 'stories') return { page: 'story', of: 'approval', id }
    if (place === 'link') return { page: 'link', id }
    if (place === 'runs') return { page: 'run', id }
    if (place === 'actions') return { page: 'story', of: 'action', id }
  }
  const page = id === undefined && pages.find((one) => one === place)
  return { page: page || 'inbox', query: new URLSearchParams(query) }
}

export const inboxHref = '#/'

export function approvalHref(id: string): string {
  return `#/approvals/${id}`
}

/** All that happened to an approval, or to an action. */
export function storyHref(of: 'action' | 'approval', id: string): string {
  return of === 'approval' ? `#/stories/${id}` : `#/actions/${id}`
}

/** All that shares a trace. */
export function runHref(trace: string): string {
  return `#/runs/${trace}`
}

/** A page with what it is about; what is empty is left out. */
export function pageHref(page: Page, about: Readonly<Record<string, string | undefined>> = {}) {
  const given = Object.entries(about).filter((pair): pair is [string, string] => Boolean(pair[1]))
  const query = new URLSearchParams(given).toString()
  return `#/${page === 'inbox' ? '' : page}${query && `?${query}`}`
}
