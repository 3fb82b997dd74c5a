import type { Finding } from './finding.ts'
import type { Link } from './line.ts'

export interface Gap {
  readonly from: number
  readonly to: number
  /** The line before which it is. */
  readonly line: number
}

interface Seen {
  readonly link: Link
  readonly line: number
  /** Index less line: the same for all lines, as long as none is missing or too many. */
  readonly offset: number
}

/**
 * Follows the indexes of an export. They are in no hash of their own line, only in the tree, so one
 * that does not fit is judged by the line that follows: either the rest has moved, because events
 * are missing before it or were put in, or this line alone is wrong.
 */
export class Order {
  // Owned by follow() and end().
  #gaps: Gap[] = []
  #offset: number | null
  #doubtful: Seen | null = null

  /** `first`: the index of the first line, if it is known. */
  constructor(first: number | null) {
    this.#offset = first === null ? null : first - 1
  }

  get gaps(): readonly Gap[] {
    return this.#gaps
  }

  follow(link: Link, line: number): Finding[] {
    const seen = { link, line, offset: link.index - line }
    this.#offset ??= seen.offset
    const doubtful = this.#doubtful
    this.#doubtful = null
    if (!doubtful) {
      if (seen.offset !== this.#offset) this.#doubtful = seen
      return []
    }
    if (seen.offset === doubtful.offset) {
      this.#move(doubtful)
      return []
    }
    if (seen.offset !== this.#offset) this.#doubtful = seen
    return [this.#misplace(doubtful)]
  }

  /** `end`: the index behind the last event that belongs here, if it is known. */
  end(lines: number, end: number | null): Finding[] {
    const doubtful = this.#doubtful
    // There is no next one. If the last line is ahead of its place, events are missing before it.
    const stray = doubtful && doubtful.offset < this.#offset! ? [this.#misplace(doubtful)] : []
    if (doubtful && stray.length === 0) this.#move(doubtful)
    const next = lines + 1 + (this.#offset ?? -1)
    if (end !== null && next < end) this.#gaps.push({ from: next, to: end - 1, line: lines + 1 })
    return stray
  }

  #misplace({ link: { place, event, index }, line }: Seen): Finding {
    // It is not missing, but here.
    this.#gaps = without(this.#gaps, index)
    const message = `By its index, ${index}, this belongs elsewhere in the log.`
    return { kind: 'reordered', line, place, event, message }
  }

  #move({ link, line, offset }: Seen): void {
    const before = this.#offset!
    this.#offset = offset
    if (offset > before) {
      this.#gaps.push({ from: line + before, to: link.index - 1, line })
    }
  }
}

function without(gaps: readonly Gap[], index: number): Gap[] {
  return gaps.flatMap(({ from, to, line }) => {
    if (index < from || index > to) return [{ from, to, line }]
    const parts = [
      { from, to: index - 1, line },
      { from: index + 1, to, line },
    ]
    return parts.filter((part) => part.from <= part.to)
  })
}
