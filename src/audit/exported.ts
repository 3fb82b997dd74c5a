import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Place } from './chain.ts'

/** An event as it leaves the database: what was hashed, its personal part, and its place. */
export interface ExportedEvent extends JsonObject {
  readonly id: string
  /** `null` while the event is in no chain yet; left out of exports. */
  readonly seq: (Place & JsonObject) | null
}

/** What is stored of an event: as text, or in the bytes that it has, which need not be UTF-8. */
export type Stored = string | Buffer

export interface EventRow {
  /** Where it is in the transparency log; absent where that was not asked for. */
  readonly index?: number
  readonly id: string
  /** `null` when its month is kept elsewhere, or somebody took the event away: its link is left. */
  readonly body: Stored | null
  /** The hash of such an event. */
  readonly leaf?: Buffer | null
  /** A record says that it is kept elsewhere. */
  readonly retained?: true
  readonly salt: Buffer | null
  readonly personal: Stored | null
  readonly replica: string | null
  readonly epoch: number | null
  readonly n: number | null
  readonly prev: Buffer | null
  readonly hash: Buffer | null
}

/**
 * Everything but attributes, details, subject, salt, index, seq, prev and hash is what was hashed,
 * once it is in canonical form.
 */
export function toExported(row: EventRow): ExportedEvent {
  const { index, id, body, leaf, salt, personal, replica, epoch, n, prev, hash } = row
  return {
    id,
    ...(index !== undefined && { index }),
    ...(body !== null && (parseJson(body.toString()) as JsonObject)),
    ...(leaf && { leaf: leaf.toString('hex') }),
    ...(personal !== null && (parseJson(personal.toString()) as JsonObject)),
    ...(salt && { salt: salt.toString('hex') }),
    seq: replica !== null && epoch !== null && n !== null ? { epoch, n, replica } : null,
    ...(prev && { prev: prev.toString('hex') }),
    ...(hash && { hash: hash.toString('hex') }),
  }
}

/**
 * How an event is written, also where somebody put something into the database that is none: as
 * what is there, in base64, so that an export has a line for it and verifiers can name it. `write`
 * throws for what it cannot write.
 */
export function whateverIsThere<T>(write: (row: EventRow) => T): (row: EventRow) => T {
  return (row) => {
    try {
      return write(row)
    } catch {
      const body = row.body === null ? null : unreadable(row.body, 'unreadable')
      const personal = row.personal === null ? null : unreadable(row.personal, 'details')
      for (const changed of [{ personal }, { body }]) {
        try {
          return write({ ...row, ...changed })
        } catch {
          // It is the other part, or both.
        }
      }
      return write({ ...row, body, personal })
    }
  }
}

function unreadable(stored: Stored, name: string): string {
  const bytes = typeof stored === 'string' ? Buffer.from(stored) : stored
  return JSON.stringify({ [name]: bytes.toString('base64') })
}
