import type { ShownUsage, UsageDimension, UsageReport } from '../api/types.ts'

export const measures = [
  'actions',
  'rows',
  'bytes',
  'tokens_in',
  'tokens_out',
  'denied',
  'held',
] as const

export type Measure = (typeof measures)[number]

export const measureName = (measure: Measure): string => measure.replace('_', ' ')

/** By what it is counted: how the choice is called, and one of them. */
export const dimensions: Readonly<
  Record<UsageDimension, { readonly choice: string; readonly one: string }>
> = {
  subject: { choice: 'Who', one: 'Subject' },
  resource: { choice: 'What', one: 'Resource' },
  dataset: { choice: 'Data', one: 'Data set' },
  class: { choice: 'Class', one: 'Class' },
  model: { choice: 'Model', one: 'Model' },
}

/** Tokens are shown where there are any. */
export function measuresIn(totals: readonly Total[]): readonly Measure[] {
  return measures.filter(
    (measure) => !measure.startsWith('tokens') || totals.some((total) => total[measure] > 0),
  )
}

type Total = Omit<ShownUsage, 'at'>

export interface Piece {
  /** Place of the name among the totals. */
  readonly series: number
  readonly value: number
}

export interface Bar {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly pieces: readonly Piece[]
  readonly sum: number
}

/** Over the whole range, by name: the largest first, all others together last. */
export function totalsOf({ usage }: UsageReport, measure: Measure): Total[] {
  const totals = new Map<string | null, Total>()
  for (const { at: _, ...one } of usage) {
    const before = totals.get(one.name)
    totals.set(one.name, before ? added(before, one) : one)
  }
  return [...totals.values()].toSorted(
    (a, b) =>
      Number(a.name === null) - Number(b.name === null) ||
      b[measure] - a[measure] ||
      b.actions - a.actions,
  )
}

function added(a: Total, b: Total): Total {
  const sums = measures.map((measure) => [measure, a[measure] + b[measure]])
  return { ...a, ...Object.fromEntries(sums) }
}

/**
 * A bar for every stretch of the range, the empty ones too, with the names in the order of `totals`
 * from the bottom up.
 */
export function barsOf(report: UsageReport, totals: readonly Total[], measure: Measure): Bar[] {
  const step = report.step_seconds * 1_000
  const first = Math.floor(Date.parse(report.from) / step) * step
  const end = Date.parse(report.to)
  const byTime = Map.groupBy(report.usage, ({ at }) => Date.parse(at))
  const bars: Bar[] = []
  for (let at = first; at < end; at += step) {
    const here = byTime.get(at) ?? []
    const pieces = totals
      .map(({ name }, series) => ({
        series,
        value: here.find((one) => one.name === name)?.[measure] ?? 0,
      }))
      .filter(({ value }) => value > 0)
    bars.push({ at, pieces, sum: pieces.reduce((sum, { value }) => sum + value, 0) })
  }
  return bars
}

/** The next round number, for the top of an axis: 1, 2 or 5 with zeros. */
export function roundUp(value: number): number {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value)!
}
