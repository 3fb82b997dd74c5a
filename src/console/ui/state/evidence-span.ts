/** Times that auditors ask about. */
export const spans = [
  { value: 'month', name: 'this month' },
  { value: 'last-month', name: 'last month' },
  { value: 'quarter', name: 'this quarter' },
  { value: 'last-quarter', name: 'last quarter' },
  { value: 'year', name: 'this year' },
] as const

export type SpanName = (typeof spans)[number]['value']

/** In UTC, as the log's months are; up to `now` where it is not over yet. */
export function spanOf(name: SpanName, now: Date): { readonly from: string; readonly to: string } {
  const year = now.getUTCFullYear()
  const month = now.getUTCMonth()
  const quarter = month - (month % 3)
  const between = (first: number, end: number) => ({
    from: new Date(Date.UTC(year, first)).toISOString(),
    to: new Date(Math.min(Date.UTC(year, end), now.getTime())).toISOString(),
  })
  switch (name) {
    case 'month':
      return between(month, month + 1)
    case 'last-month':
      return between(month - 1, month)
    case 'quarter':
      return between(quarter, quarter + 3)
    case 'last-quarter':
      return between(quarter - 3, quarter)
    case 'year':
      return between(0, 12)
  }
}
