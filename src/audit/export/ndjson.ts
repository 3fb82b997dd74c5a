import type { Store } from '../../store/db.ts'
import { canonical } from '../canonical.ts'
import { toExported, whateverIsThere, type EventRow } from '../exported.ts'
import { ChangedTree, takeTurn } from '../log/sequence.ts'
import { mergeMembers, membersOf, type Member } from './members.ts'
import { readRows, type RowOptions } from './rows.ts'
import { partOf, type Part, type Span } from './stretches.ts'

/** What an export of this span has, as the log is now: with everything that is durable by now. */
export async function openExport(store: Store, span: Span = {}): Promise<Part> {
  await takeTurn(store, 0).catch((error: unknown) => {
    // What is there already is exported all the same: it is for verifiers to judge.
    if (!(error instanceof ChangedTree)) throw error
  })
  return partOf(store, span)
}

/** An event as RFC 8785 canonical JSON: the one format that verifies. What is stored is canonical already, so its members are only put in order. */
export const ndjsonLine = whateverIsThere((row) => {
  const hashed = row.body ? membersOf(row.body.toString()) : []
  const erasable = row.personal ? membersOf(row.personal.toString()) : []
  const event = hashed && erasable && mergeMembers(hashed, erasable)
  const merged = event && mergeMembers(event, around(row, event))
  // Somebody wrote it another way: as it can be read, for a verifier to say what is wrong.
  return merged ? `{${merged.map(({ text }) => text).join(',')}}` : canonical(toExported(row))
})

/** What an event stands in, in order. */
function around(
  { index, id, leaf, salt, replica, epoch, n, prev, hash }: EventRow,
  event: readonly Member[],
): Member[] {
  const members: Member[] = []
  if (hash) members.push(inHex('hash', hash))
  if (!event.some(({ name }) => name === 'id')) members.push(member('id', id))
  if (index !== undefined) members.push(member('index', index))
  if (leaf) members.push(inHex('leaf', leaf))
  if (prev) members.push(inHex('prev', prev))
  if (salt) members.push(inHex('salt', salt))
  const linked = replica !== null && epoch !== null && n !== null
  members.push(member('seq', linked ? { epoch, n, replica } : null))
  return members
}

function member(name: string, value: unknown): Member {
  return { name, text: `"${name}":${JSON.stringify(value)}` }
}

function inHex(name: string, bytes: Buffer): Member {
  return { name, text: `"${name}":"${bytes.toString('hex')}"` }
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
