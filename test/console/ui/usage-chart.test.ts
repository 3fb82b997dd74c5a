import { expect, test } from 'vitest'
import type { UsageReport } from '../../../src/console/ui/api/types.ts'
import { barsOf, roundUp, totalsOf } from '../../../src/console/ui/state/usage-chart.ts'
import { amount } from '../../../src/console/ui/text/amount.ts'

const tokens = { tokens_in: 0, tokens_out: 0, tokens_cached: 0 }
const none = { actions: 0, denied: 0, held: 0, runs: 0, rows: 0, bytes: 0, ...tokens }
const report: UsageReport = {
  by: 'subject',
  from: '2026-11-22T10:07:00.000Z',
  to: '2026-11-22T12:00:00.000Z',
  step_seconds: 3_600,
  counted_until: null,
  usage: [
    { ...none, at: '2026-11-22T10:00:00.000Z', name: 'a', actions: 3, bytes: 10 },
    { ...none, at: '2026-11-22T10:00:00.000Z', name: null, actions: 90 },
    { ...none, at: '2026-11-22T11:00:00.000Z', name: 'b', actions: 1, bytes: 900 },
    { ...none, at: '2026-11-22T11:00:00.000Z', name: 'a', actions: 2, bytes: 5 },
  ],
}

test('totals: the largest by what is looked at first, all others last', () => {
  const names = (measure: 'actions' | 'bytes') => totalsOf(report, measure).map(({ name }) => name)
  expect(names('actions')).toEqual(['a', 'b', null])
  expect(names('bytes')).toEqual(['b', 'a', null])
  expect(totalsOf(report, 'bytes')[1]).toEqual({ ...none, name: 'a', actions: 5, bytes: 15 })
})

test('bars: every stretch has one, the first one begins before the range', () => {
  const bars = barsOf(report, totalsOf(report, 'actions'), 'actions')
  expect(bars.map(({ at, sum }) => [new Date(at).toISOString(), sum])).toEqual([
    ['2026-11-22T10:00:00.000Z', 93],
    ['2026-11-22T11:00:00.000Z', 3],
  ])
  expect(bars[1]!.pieces).toEqual([
    { series: 0, value: 2 },
    { series: 1, value: 1 },
  ])
})

test.each([
  [0, 1],
  [1, 1],
  [21, 50],
  [50, 50],
  [51, 100],
  [1_234, 2_000],
])('the axis for %i ends at %i', (value, top) => {
  expect(roundUp(value)).toBe(top)
})

test.each([
  [0, 'bytes', '0 B'],
  [999, 'bytes', '999 B'],
  [1_500, 'bytes', '1.5 kB'],
  [2_000_000_000, 'bytes', '2 GB'],
  [1_204, 'actions', '1,204'],
])('%i %s are shown as %s', (value, measure, shown) => {
  expect(amount(value, measure)).toBe(shown)
})
