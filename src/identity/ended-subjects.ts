import type { Person } from '../core/person.ts'
import type { Credential } from '../core/subject.ts'
import type { Queryable, Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { Refusal } from './refusal.ts'

/** Notifications on this channel say that somebody's sessions or account ended. */
export const subjectsEnded = 'sallyport_ended'

/**
 * Milliseconds between two looks, in case a notification gets lost, so that an ending takes effect
 * within a second.
 */
const period = 500

export interface EndedSubjects {
  /**
   * Throws a `Refusal` when an identity provider ended the session, or disabled the account, of
   * somebody behind this credential.
   */
  refuse(credential: Credential): void
  close(): Promise<void>
}

interface Ended {
  /** Milliseconds since 1970; `null` when only the account was disabled or enabled. */
  readonly endedAt: number | null
  readonly disabled: boolean
}

interface EndedRow {
  issuer: string
  name: string
  ended_at: Date | null
  disabled: boolean
  seen_at: Date
}

/**
 * Keeps in memory whose sessions and accounts have ended, so that checking each request costs
 * nothing. It is as recent as the last look; the use of an approval asks the database
 * (`credentialStillValid`).
 */
export async function watchEndedSubjects(store: Store, log: Log): Promise<EndedSubjects> {
  const endings = new Map<string, Ended>()
  // Owned by load(): the database's time of the last look.
  let seenAt = new Date(0)

  async function load(): Promise<void> {
    // Includes changes from the minute before the last look, because a transaction that began then
    // may have committed later.
    const rows = await store.query<EndedRow>(
      `SELECT issuer, name, ended_at, disabled, clock_timestamp() AS seen_at FROM sallyport.ended_subjects
        WHERE changed_at > $1::timestamptz - interval '1 minute'`,
      [seenAt],
    )
    for (const { issuer, name, ended_at, disabled, seen_at } of rows) {
      endings.set(keyOf(issuer, name), { endedAt: ended_at?.getTime() ?? null, disabled })
      seenAt = seen_at
    }
  }

  // Owned by look(): one look at a time, and another if somebody asked meanwhile.
  let looking: Promise<void> | null = null
  let again = false
  function look(): void {
    if (looking) {
      again = true
      return
    }
    looking = load()
      // Closed: without its store the gateway forwards nothing, so an ending that it has missed
      // lets nobody in.
      .catch((error: unknown) => log.warn({ err: error }, 'ended sessions could not be looked up'))
      .finally(() => {
        looking = null
        if (again) {
          again = false
          look()
        }
      })
  }

  const stop = await store.listen(subjectsEnded, look)
  await load()
  const timer = setInterval(look, period).unref()

  return {
    refuse({ names = [], issuedAt }) {
      if (endings.size === 0) return
      for (const { issuer, name, as } of names) {
        const end = endings.get(keyOf(issuer, name))
        if (!end) continue
        if (end.disabled) throw new Refusal('account-disabled')
        // Closed: a credential of unknown age counts as older.
        const ended = end.endedAt !== null && (issuedAt ?? 0) <= end.endedAt
        if (as === 'self' && ended) throw new Refusal('session-revoked')
      }
    },
    async close() {
      clearInterval(timer)
      await stop()
      again = false
      await looking
    },
  }
}

/** Whether a person's account was disabled. They cannot vote then, through any channel. */
export async function isDisabled(
  tx: Queryable,
  { issuer, subject }: Pick<Person, 'issuer' | 'subject'>,
): Promise<boolean> {
  const [row] = await tx.query<{ disabled: boolean }>(
    'SELECT sallyport.is_disabled($1, $2) AS disabled',
    [issuer, subject],
  )
  return row!.disabled
}

/** Issuers contain no blanks. */
function keyOf(issuer: string, name: string): string {
  return `${issuer} ${name}`
}
