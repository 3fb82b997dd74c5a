import type { Store } from '../../store/db.ts'
import { canonical } from '../canonical.ts'
import { toExported, type EventRow } from '../exported.ts'
import { takeTurn } from '../log/sequence.ts'
import { readRows, type RowOptions } from './rows.ts'
import { partOf, type Part, type Span } from './stretches.ts'

/** What an export of this span has, as the log is now: with everything that is durable by now. */
export async function openExport(store: Store, span: Span = {}): Promise<Part> {
  await takeTurn(store, 0)
  return partOf(store, span)
}

/** An event as RFC 8785 canonical JSON: the one format that verifies. */
export function ndjsonLine(row: EventRow): string {
  return canonical(toExported(row))
}

/**
 * A part of the audit log, one event a line, without line ends, in the order of the log and without a gap. In constant memory, whatever its size.
 */
export async function* exportNdjson(
  store: Store,
  part: Part,
  options?: RowOptions,
): AsyncGenerator<string> {
  for await (const row of readRows(store, part, options)) yield ndjsonLine(row)
}
