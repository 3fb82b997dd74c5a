import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'

/** The month was not dropped, and is still in the database. The message is for people. */
export class NotDropped extends Error {
  override readonly name = 'NotDropped'
}

/** SQLSTATE lock_not_available: the log was busy, and we did not wait any longer. */
const lockNotAvailable = '55P03'
/**
 * SQLSTATE of `drop_month`: no signed checkpoint covers the record yet. A few seconds later one
 * does.
 */
const notRecorded = 'SP007'
const tries = 60
const pause = 500

/**
 * Drops a month that is on record as kept elsewhere, in steps that hold nobody up. Needs a login
 * that is a member of `sallyport_keeper`, which no gateway's is. A repeated call continues where
 * the last one stopped. Rejects with `NotDropped`, and with the reason of `signal`.
 */
export async function dropMonth(url: string, month: string, signal: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: url })
  // The query that is under way rejects when the connection is lost. Without a listener, Node would
  // throw.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SET ROLE sallyport_keeper')
    for (let left = tries; (await step(client, month, left)) !== 'gone'; left--) {
      await sleep(pause, undefined, { signal })
    }
  } catch (cause) {
    if (signal.aborted) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    const where = cause instanceof DatabaseError ? 'The database refuses' : 'No answer'
    throw new NotDropped(`${where}: ${message}.`, { cause })
  } finally {
    await client.end()
  }
}

async function step(client: Client, month: string, left: number): Promise<string> {
  try {
    const { rows } = await client.query<{ done: string }>(
      'SELECT sallyport.drop_month($1::date) AS done',
      [`${month}-01`],
    )
    return rows[0]!.done
  } catch (error) {
    const passing =
      error instanceof DatabaseError && [lockNotAvailable, notRecorded].includes(error.code ?? '')
    if (!passing || left <= 1) throw error
    return 'again'
  }
}
