/** Of what is searched for, what nobody types: links ask for it. */
export const exact = [
  'effect',
  'result',
  'action',
  'approval',
  'trace',
  'digest',
  'policy',
  'dataset',
  'class',
  'model',
] as const

/**
 * What is searched for, as it stands in the address. `since` is one of the ranges; `from` and `to`
 * are exact, and win.
 */
export const searchable = [
  'q',
  'subject',
  'resource',
  'decision',
  'reason',
  'rule',
  'type',
  ...exact,
] as const

export type ActivityFilter = Readonly<
  Record<(typeof searchable)[number] | 'since' | 'from' | 'to', string>
>

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** By the word in the address. */
export const ranges: Readonly<Record<string, { readonly name: string; readonly ms: number }>> = {
  '15m': { name: 'last 15 minutes', ms: 15 * minute },
  '1h': { name: 'last hour', ms: hour },
  '24h': { name: 'last 24 hours', ms: day },
  '7d': { name: 'last 7 days', ms: 7 * day },
  '30d': { name: 'last 30 days', ms: 30 * day },
}

export function activityFilter(query: URLSearchParams): ActivityFilter {
  const of = (name: string) => query.get(name) ?? ''
  return Object.fromEntries(
    [...searchable, 'since', 'from', 'to'].map((name) => [name, of(name)]),
  ) as ActivityFilter
}

/** The range in instants, by this machine's clock as the log's is not asked for it. */
export function spanOf(
  { since, from, to }: ActivityFilter,
  now: number,
): { from?: string; to?: string } {
  const range = from === '' && to === '' && Object.hasOwn(ranges, since) ? ranges[since]! : null
  if (range) return { from: new Date(now - range.ms).toISOString() }
  return { ...(from !== '' && { from: instant(from) }), ...(to !== '' && { to: instant(to) }) }
}

/**
 * Fields for times give them without a zone: this machine's. What is no time stays what it is, for
 * the gateway to say so.
 */
function instant(text: string): string {
  const at = Date.parse(text)
  return Number.isNaN(at) ? text : new Date(at).toISOString()
}

/** What is asked of `GET /api/audit/events`. The gateway takes words from two characters on. */
export function eventQuery(filter: ActivityFilter, now: number): URLSearchParams {
  const asked = searchable
    .map((name) => [name, filter[name].trim()] as const)
    .filter(([name, value]) => value.length > (name === 'q' ? 1 : 0))
  return new URLSearchParams({ ...Object.fromEntries(asked), ...spanOf(filter, now) })
}

/** What of it can be saved: a range stays one that ends when it is asked for. */
export function savedQuery(filter: ActivityFilter): Readonly<Record<string, string>> | null {
  const { from, to, since } = filter
  const words = searchable.map((name) => [name, filter[name].trim()] as const)
  const range = from === '' && to === '' && Object.hasOwn(ranges, since) ? since : ''
  const times = [['since', range], ...Object.entries(spanOf({ ...filter, since: '' }, 0))]
  const given = [...words, ...times].filter(([, value]) => value !== '')
  return given.length > 0 ? (Object.fromEntries(given) as Record<string, string>) : null
}
