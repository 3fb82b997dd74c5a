import type { Finding } from './finding.ts'
import type { Link } from './line.ts'
import type { RetentionRecord } from './retention-record.ts'

/** Lines that follow each other, of which only the hashes are there. */
interface Stretch {
  readonly link: Link
  readonly line: number
  count: number
}

interface Covered {
  readonly line: number
  readonly first: number
  count: number
  end: number
}

/**
 * Beyond that, what is not there counts as taken away: an export that is cut into so many pieces is
 * not one of ours.
 */
const mostStretches = 100_000

/**
 * Events of which an export only has the hashes. A record in the log has to say of each, by its
 * index, that it is kept elsewhere; somebody took all others away.
 */
export class KeptElsewhere {
  readonly #stretches: Stretch[] = []
  readonly #records = new Map<string, RetentionRecord>()

  /** A line without its event. */
  miss(link: Link, line: number): Finding[] {
    const last = this.#stretches.at(-1)
    if (last && last.line + last.count === line && last.link.index + last.count === link.index) {
      last.count++
      return []
    }
    if (this.#stretches.length === mostStretches) return [takenAway(link, line, 1)]
    this.#stretches.push({ link, line, count: 1 })
    return []
  }

  /** A record that is known to be in the log, by the id of its event. */
  explain(event: string, record: RetentionRecord): void {
    this.#records.set(event, record)
  }

  /** Where everything that is not there is, or that somebody took it away. */
  end(): Finding[] {
    const findings: Finding[] = []
    const ranges = [...this.#records]
      .flatMap(([event, { indexes }]) => indexes.map((range) => ({ ...range, event })))
      .toSorted((a, b) => a.first - b.first)
    const covered = new Map<string, Covered>()
    for (const { link, line, count: length } of this.#stretches) {
      const end = link.index + length
      let at = link.index
      for (const range of ranges) {
        if (range.end <= at || range.first >= end) continue
        if (range.first > at) findings.push(gone(link, line, at, range.first))
        const first = Math.max(at, range.first)
        at = Math.min(end, range.end)
        note(covered, range.event, { line: line + first - link.index, first, end: at })
      }
      if (at < end) findings.push(gone(link, line, at, end))
    }
    return [...findings, ...[...covered].map(([event, found]) => this.#kept(event, found))]
  }

  #kept(event: string, { line, first, end, count: events }: Covered): Finding {
    const { month, exports } = this.#records.get(event)!
    const files = exports.map(({ sha256 }) => sha256).join(', ')
    const message = `${events} events from ${first} to ${end - 1}, those of ${month}, are kept elsewhere, in files with the SHA-256 ${files}: event ${event} says so.`
    return { kind: 'retained', line, message, event }
  }
}

function note(
  covered: Map<string, Covered>,
  event: string,
  { line, first, end }: Omit<Covered, 'count'>,
): void {
  const known = covered.get(event)
  if (!known) return void covered.set(event, { line, first, end, count: end - first })
  known.count += end - first
  known.end = end
}

function gone(link: Link, line: number, first: number, end: number): Finding {
  const at = line + first - link.index
  return takenAway(first === link.index ? link : null, at, end - first)
}

function takenAway(link: Link | null, line: number, events: number): Finding {
  const message =
    events === 1
      ? 'The link is there, and its event is not; no record says where it is kept.'
      : `The links of these ${events} lines are there, and their events are not; no record says where they are kept.`
  const about = link && { place: link.place, event: link.event }
  return { kind: 'event-missing', line, message, ...about }
}
