import type { Store } from '../../store/db.ts'
import { canonical } from '../canonical.ts'
import { toExported, type EventRow } from '../exported.ts'
import { takeTurn } from '../log/sequence.ts'
import { membersOf } from './members.ts'
import { readRows, type RowOptions } from './rows.ts'
import { partOf, type Part, type Span } from './stretches.ts'

/** What an export of this span has, as the log is now: with everything that is durable by now. */
export async function openExport(store: Store, span: Span = {}): Promise<Part> {
  await takeTurn(store, 0)
  return partOf(store, span)
}

/** An event as RFC 8785 canonical JSON: the one format that verifies. What is stored is canonical already, so its members are only put in order. */
export function ndjsonLine(row: EventRow): string {
  const { body, personal, ...place } = row
  const hashed = body ? membersOf(body.toString()) : new Map<string, string>()
  const erasable = personal ? membersOf(personal.toString()) : new Map<string, string>()
  // Somebody wrote it another way: as it can be read, for a verifier to say what is wrong.
  if (!hashed || !erasable) return canonical(toExported(row))
  const { id, ...around } = toExported({ ...place, body: null, personal: null })
  const members = new Map([['id', JSON.stringify(id)], ...hashed, ...erasable])
  for (const [name, value] of Object.entries(around)) members.set(name, JSON.stringify(value))
  const names = [...members.keys()].toSorted()
  return `{${names.map((name) => `"${name}":${members.get(name)}`).join(',')}}`
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
