import { AuditLog } from '../../src/audit/append.ts'
import { DatabaseClock } from '../../src/audit/clock.ts'
import type { Store } from '../../src/store/db.ts'
import { openLease } from '../../src/store/lease.ts'
import { quiet } from './audit.ts'
import type { RunAs } from './owned-store.ts'
import { atEnd } from './store.ts'

/** Makes the partition of a month that is over, as it was made when it began. */
export async function provideMonth(asOwner: RunAs, month: string): Promise<void> {
  const begin = `timestamptz '${month}-01 00:00:00Z'`
  await asOwner(`SET timezone = 'UTC'`)
  await asOwner(`DO $$ BEGIN
    EXECUTE format('CREATE TABLE sallyport.audit_events_${month.replace('-', '_')} PARTITION OF sallyport.audit_events FOR VALUES FROM (%L) TO (%L)',
      sallyport.audit_first_id(${begin}), sallyport.audit_first_id(${begin} + interval '1 month'));
    PERFORM sallyport.audit_protect('sallyport.audit_events_${month.replace('-', '_')}'::regclass, 'audit_is_erased_only');
  END $$`)
}

/** PostgreSQL, appendix A: the log was busy, as where PostgreSQL itself counts its rows. */
const lockNotAvailable = '55P03'

/**
 * One step of taking a month out, by hand. As `sallyport audit retain` does, it is tried again while
 * the log is busy: nobody waits for the lock longer than a moment.
 */
export async function dropStep(asOwner: RunAs, month: string): Promise<void> {
  for (const deadline = performance.now() + 60_000; ;) {
    try {
      await asOwner(`SELECT sallyport.drop_month('${month}-01')`)
      return
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== lockNotAvailable || performance.now() > deadline) throw error
    }
  }
}

class ClockOfThen extends DatabaseClock {
  readonly #then: number
  constructor(then: Date) {
    super()
    this.#then = then.getTime()
  }
  override now(): number {
    return this.#then
  }
}

/** A replica whose clock shows a time of long ago, and so describes events of then. */
export async function replicaOfThen(store: Store, then: Date): Promise<AuditLog> {
  const lease = await openLease(store)
  const audit = new AuditLog({ store, lease, log: quiet }, new ClockOfThen(then))
  atEnd(async () => {
    await audit.close()
    await lease.close()
  })
  return audit
}
