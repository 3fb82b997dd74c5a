import type { Config } from '../../config/schema.ts'
import { Problem } from '../../core/errors.ts'
import type { Indexes, Retention } from '../../core/event.ts'
import type { Queryable } from '../../store/db.ts'
import { contentsOf, covers, joined, sizeOf } from './contents.ts'
import { listMonths } from './months.ts'
import { undelivered } from './undelivered.ts'

/**
 * What somebody who wants a month dropped claims to have of it, in files that they have verified.
 */
export interface Claim {
  readonly month: string
  /**
   * How many of the month's events are in the files, and how many of these have no personal part.
   */
  readonly events: number
  readonly impersonal: number
  /** Each file's hash, with the part of the log that it has. */
  readonly exports: readonly (Indexes & { readonly sha256: string })[]
}

/** What has to stay in the database. */
export interface Keeping {
  /** Milliseconds for which events stay; `null` for ever. */
  readonly keepMs: number | null
  /** Names of the configured deliveries. A month stays until all of them have it. */
  readonly deliveries: readonly string[]
}

export function keepingOf({ audit }: Pick<Config, 'audit'>): Keeping {
  return { keepMs: audit.retention.keep ?? null, deliveries: Object.keys(audit.deliveries) }
}

/**
 * Why a month may not leave the database, in a sentence, or `null`. Asked again before it is put on
 * record.
 */
export async function obstacleTo(
  db: Queryable,
  { month, indexes }: Pick<Retention, 'month' | 'indexes'>,
  keeping: Keeping,
): Promise<string | null> {
  const obstacle = await obstacleToMonth(db, month, keeping)
  if (obstacle) return obstacle
  const [behind] = await undelivered(db, indexes, keeping.deliveries)
  if (behind === undefined) return null
  return `The delivery ${behind} has not got past ${month}, and would have nothing but hashes of it.`
}

async function obstacleToMonth(
  db: Queryable,
  month: string,
  { keepMs }: Keeping,
): Promise<string | null> {
  if (keepMs === null) return 'audit.retention.keep is not set, so everything stays.'
  const [found] = await listMonths(db, keepMs, month)
  if (!found) return `${month} is no month of the log that is in the database.`
  if (!found.due)
    return `${month} has events that are to be kept here still (audit.retention.keep).`
  if (found.recorded) return `${month} is on record already.`
  if (found.heldBy.length > 0)
    return `${month} is covered by legal hold ${found.heldBy.join(', ')}.`
  return null
}

/**
 * The record for a month of which the files have everything that the database has. Rejects with
 * `bad-request` for what they lack. We believe that the files exist: nobody can be kept from
 * deleting them later, and their hashes are on record.
 */
export async function retentionOf(
  db: Queryable,
  { month, events, impersonal, exports }: Claim,
  keeping: Keeping,
): Promise<Retention> {
  const early = await obstacleToMonth(db, month, keeping)
  if (early) throw new Problem('bad-request', early)
  const here = await contentsOf(db, month)
  const lacking = (what: string) => new Problem('bad-request', `${what} Nothing was changed.`)
  if (sizeOf(here.indexes) !== here.events)
    throw lacking(`${here.events - sizeOf(here.indexes)} events of ${month} are not in the log.`)
  if (events !== here.events || !covers(joined(exports), here.indexes))
    throw lacking(
      `The database has ${here.events} events of ${month}, and the files have ${events} of them.`,
    )
  // The files may have personal parts that were erased since, but not the other way round.
  if (impersonal > here.impersonal)
    throw lacking(
      `${impersonal - here.impersonal} events of ${month} are without who, attributes and details in the files (--no-personal).`,
    )
  const retention = { month, events, indexes: here.indexes, exports }
  const obstacle = await obstacleTo(db, retention, keeping)
  if (obstacle) throw new Problem('bad-request', obstacle)
  return retention
}
