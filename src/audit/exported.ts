import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Place } from './chain.ts'

/** An event as it leaves the database: the hashed part, the personal part, and its place. */
export interface ExportedEvent extends JsonObject {
  readonly id: string
  /** `null` while the event is in no chain yet. Exports leave such events out. */
  readonly seq: (Place & JsonObject) | null
}

/** Stored content: text, or bytes that need not be UTF-8. */
export type Stored = string | Buffer

export interface EventRow {
  /** The index in the transparency log; absent where it was not asked for. */
  readonly index?: number
  readonly id: string
  /**
   * `null` when only the link is left, because the month is kept elsewhere or somebody removed the
   * event.
   */
  readonly body: Stored | null
  /** The hash of an event of which only the link is left. */
  readonly leaf?: Buffer | null
  /** Set if a record says that it is kept elsewhere. */
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
 * Puts an event together for an export. In canonical form, everything but attributes, details,
 * subject, salt, index, seq, prev and hash is what was hashed.
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
 * Makes a writer cope with anything. Where `write` throws, because somebody put something into the
 * database that is no event, that is written in Base64 instead, so that an export has a line for it
 * and verifiers can name it.
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
