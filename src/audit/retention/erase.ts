import { Client, DatabaseError } from 'pg'

/** What was erased, as the database counted it. */
export interface Erasure {
  readonly id: string
  readonly events: number
  readonly approvals: number
  readonly votes: number
}

export interface ErasureRequest {
  readonly issuer: string
  readonly subject: string
  /** At least 10 characters. */
  readonly reason: string
}

/** Nothing was erased. The message is for people. */
export class NotErased extends Error {
  override readonly name = 'NotErased'
}

/**
 * Erases what is known about a subject: the personal part of all its events, the content of its
 * approvals, reasons of votes, and its identity. All of it or nothing, and the erasure goes on
 * record. Needs a login that is a member of `sallyport_eraser`, which no gateway's is. Rejects with
 * `NotErased`.
 */
export async function erasePerson(
  url: string,
  { issuer, subject, reason }: ErasureRequest,
): Promise<Erasure> {
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    await client.query('SET ROLE sallyport_eraser')
    const { rows } = await client.query<Erasure>(
      `SELECT id, events::float8, approvals::float8, votes::float8
       FROM sallyport.erase_person($1, $2, $3)`,
      [issuer, subject, reason],
    )
    return rows[0]!
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const where = cause instanceof DatabaseError ? 'The database refuses' : 'No answer'
    throw new NotErased(`${where}: ${message}.`, { cause })
  } finally {
    await client.end()
  }
}
