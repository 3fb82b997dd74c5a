import type { ReplayLine, ShownDifference, ShownReplaySummary } from '../api/types.ts'

/**
 * More differences than these are counted and not shown: a browser would be busy with them for
 * seconds.
 */
const mostShown = 100

export interface Replayed {
  /** Actions that were looked at. */
  readonly looked: number
  readonly differences: readonly ShownDifference[]
  /** At the end. */
  readonly summary: ShownReplaySummary | null
}

export const nothingReplayed: Replayed = { looked: 0, differences: [], summary: null }

export function foldReplay(replayed: Replayed, read: unknown): Replayed {
  const line = read as ReplayLine
  if ('summary' in line) return { ...replayed, summary: line.summary }
  if ('progress' in line) return { ...replayed, looked: line.progress }
  if (replayed.differences.length >= mostShown) return replayed
  return { ...replayed, differences: [...replayed.differences, line.difference] }
}
