import type { Store } from '../../store/db.ts'
import { canonical } from '../canonical.ts'
import { toExported } from '../exported.ts'
import { takeTurn } from '../log/sequence.ts'
import { nextStretch, partOf, readPart, type Part, type Span } from './stretches.ts'

/** Events that are read at a time; one stretch of links is read whole. */
const pageSize = 1_000

/** What an export of this span has, as the log is now: with everything that is durable by now. */
export async function openExport(store: Store, span: Span = {}): Promise<Part> {
  await takeTurn(store, 0)
  return partOf(store, span)
}

/**
 * A part of the audit log, one event a line, as RFC 8785 canonical JSON, without line ends, in the order of the log and without a gap. In constant memory, whatever its
 * size.
 */
export async function* exportNdjson(store: Store, part: Part): AsyncGenerator<string> {
  const { end } = part
  for (let first: number | null = part.first; first !== null && first < end;) {
    const rows = await readPart(store, { first, end }, pageSize)
    for (const row of rows) yield canonical(toExported(row))
    // Behind links that somebody took away the log goes on, and verifying names what is missing.
    const next = rows.length > 0 ? rows.at(-1)!.index! + 1 : first
    first = await nextStretch(store, { first: next, end })
  }
}
