import type { Store } from '../../store/db.ts'
import { canonical } from '../canonical.ts'
import { toExported, whateverIsThere, type EventRow } from '../exported.ts'
import { ChangedTree, takeTurn } from '../log/sequence.ts'
import { mergeMembers, membersOf, withMembers, type Member } from './members.ts'
import { readRows, type RowOptions } from './rows.ts'
import { partOf, type Part, type Span } from './stretches.ts'

/**
 * The part of the log that an export of this span covers, with everything that is durable by now.
 */
export async function openExport(store: Store, span: Span = {}): Promise<Part> {
  await takeTurn(store, 0).catch((error: unknown) => {
    // Export what is there all the same. It is for verifiers to judge.
    if (!(error instanceof ChangedTree)) throw error
  })
  return partOf(store, span)
}

/**
 * An event as canonical JSON (RFC 8785), the one format that verifies. What is stored is canonical
 * already, so its members only have to be put in order.
 */
export const ndjsonLine = whateverIsThere((row) => {
  const erasable = row.personal === null ? [] : membersOf(row.personal.toString())
  const more = erasable && mergeMembers(erasable, around(row))
  if (more && row.body === null) return `{${more.map(({ text }) => text).join(',')}}`
  const event = more && row.body !== null ? withMembers(row.body.toString(), more) : null
  // Somebody has changed how it is written. It is exported as far as it can be read, for a verifier
  // to say what is wrong.
  return event ?? canonical(toExported(row))
})

/** The members around an event, in order. */
function around({ index, id, leaf, salt, replica, epoch, n, prev, hash }: EventRow): Member[] {
  const members: Member[] = []
  if (hash) members.push(inHex('hash', hash))
  members.push({ name: 'id', text: `"id":${JSON.stringify(id)}`, otherwise: true })
  if (index !== undefined) members.push({ name: 'index', text: `"index":${index}` })
  if (leaf) members.push(inHex('leaf', leaf))
  if (prev) members.push(inHex('prev', prev))
  if (salt) members.push(inHex('salt', salt))
  const linked = replica !== null && epoch !== null && n !== null
  const seq = linked ? `{"epoch":${epoch},"n":${n},"replica":${JSON.stringify(replica)}}` : 'null'
  members.push({ name: 'seq', text: `"seq":${seq}` })
  return members
}

function inHex(name: string, bytes: Buffer): Member {
  return { name, text: `"${name}":"${bytes.toString('hex')}"` }
}

/**
 * A part of the audit log, one event a line, without line ends, in the order of the log and without
 * gaps. Takes constant memory, whatever its size.
 */
export async function* exportNdjson(
  store: Store,
  part: Part,
  options?: RowOptions,
): AsyncGenerator<string> {
  for await (const row of readRows(store, part, options)) yield ndjsonLine(row)
}
