import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'

/** Not taken out, and still in the database; the message is for people. */
export class NotDropped extends Error {
  override readonly name = 'NotDropped'
}

/** PostgreSQL, appendix A: the log was busy, and nobody waited longer. */
const lockNotAvailable = '55P03'
/** The record is not in a signed state of the log yet (`drop_month`); a few seconds later it is. */
const notRecorded = 'SP007'
const tries = 60
const pause = 500

/**
 * Takes a month out of the database that is on record as kept elsewhere, in steps that hold nobody
 * up. With a login that is a member of `sallyport_keeper`, which no gateway's is. Doing it again
 * goes on where it stopped. Rejects with `NotDropped`, and with the reason of `signal`.
 */
export async function dropMonth(url: string, month: string, signal: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: url })
  // Whoever waits for an answer hears of a lost connection; nobody else has to.
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
