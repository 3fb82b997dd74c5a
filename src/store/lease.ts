import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Queryable, Store } from './db.ts'

/** One unbroken lease of one replica. Whatever it began in there is over when the lease is. */
export interface Epoch {
  readonly replica: string
  readonly epoch: number
}

/**
 * This process as the other replicas see it. A lease that has run out is never renewed: its epoch
 * is dead for everybody, and the next one begins. So whoever acts for an epoch remembers which one,
 * and asks `held` about that.
 */
export interface Lease {
  /** UUID of this process. */
  readonly replica: string
  /** The current epoch, counted from 1. */
  readonly epoch: number
  /**
   * Whether nobody can have taken `epoch` (by default the current one) for dead, by the monotonic
   * clock and with a margin. Needs no network, and holds only for this instant.
   */
  held(epoch?: number): boolean
  /**
   * Ends `epoch` and begins the next one, unless that has happened already. Rejects with a
   * `StoreError`.
   */
  advance(epoch: number): Promise<void>
  /**
   * Gives the epoch back, so that nobody has to wait until it runs out. Never rejects: without the
   * store, they have to wait.
   */
  close(): Promise<void>
}

export interface LeaseTimes {
  readonly leaseMs: number
  /**
   * By how much clocks and schedulers may be off. `held` ends that much earlier, and others wait
   * that much longer.
   */
  readonly marginMs: number
}

export const leaseTimes: LeaseTimes = { leaseMs: 15_000, marginMs: 2_000 }

/** Registers this process as a replica, and keeps its lease until closed. */
export async function openLease(store: Store, times: LeaseTimes = leaseTimes): Promise<Lease> {
  const lease = new RenewedLease(store, times)
  await lease.advance(0)
  return lease
}

/**
 * Epochs that ended without being given back, oldest first. They include those of this process,
 * once it has lost its lease.
 */
export async function deadEpochs(store: Queryable, times = leaseTimes): Promise<Epoch[]> {
  return store.query<{ replica: string; epoch: number }>(
    `SELECT replica, epoch FROM sallyport.replicas
     WHERE closed_at IS NULL AND lease_until < clock_timestamp() - $1 * interval '1 ms'
     ORDER BY started_at`,
    [times.marginMs],
  )
}

/**
 * Whether this epoch still counts, for a transaction that acts in its name. If so, nobody can end
 * its record before that transaction has ended. Neither this nor a renewal of the lease waits for
 * the other.
 */
export async function pinEpoch(tx: Queryable, { replica, epoch }: Epoch): Promise<boolean> {
  const pinned = await tx.query(
    `SELECT FROM sallyport.replicas
     WHERE replica = $1 AND epoch = $2 AND closed_at IS NULL
     FOR KEY SHARE`,
    [replica, epoch],
  )
  return pinned.length === 1
}

class RenewedLease implements Lease {
  readonly replica = randomUUID()
  readonly #store: Store
  readonly #times: LeaseTimes
  // Owned by #renew() and #begin(): the current epoch, and until when it is ours by the monotonic
  // clock.
  #epoch = 0
  #heldUntil = 0
  // Owned by advance(), of which one runs at a time.
  #advancing: Promise<void> | null = null
  // Owned by #renewLater() and close().
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(store: Store, times: LeaseTimes) {
    this.#store = store
    this.#times = times
  }

  get epoch(): number {
    return this.#epoch
  }

  held(epoch = this.#epoch): boolean {
    return !this.#closed && epoch === this.#epoch && performance.now() < this.#heldUntil
  }

  async advance(epoch: number): Promise<void> {
    if (epoch !== this.#epoch) return
    this.#advancing ??= this.#begin(epoch + 1).finally(() => (this.#advancing = null))
    await this.#advancing
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#store
      .query(
        `UPDATE sallyport.replicas SET closed_at = clock_timestamp()
         WHERE replica = $1 AND epoch = $2 AND closed_at IS NULL`,
        [this.replica, this.#epoch],
      )
      // Closed: an epoch that could not be given back runs out, and another replica buries it.
      .catch(() => undefined)
  }

  async #begin(epoch: number): Promise<void> {
    const asked = performance.now()
    // The row may exist already, from an attempt whose answer was lost.
    const begun = await this.#store.query(
      `INSERT INTO sallyport.replicas AS r (replica, epoch, lease_until)
       VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
       ON CONFLICT (replica, epoch) DO UPDATE SET lease_until = excluded.lease_until
         WHERE r.closed_at IS NULL AND r.lease_until > clock_timestamp()
       RETURNING epoch`,
      [this.replica, epoch, this.#times.leaseMs],
    )
    this.#epoch = epoch
    if (begun.length === 0) return this.#begin(epoch + 1)
    this.#extend(asked)
    this.#renewLater(this.#times.leaseMs / 3)
  }

  /**
   * Counts from when we asked, which is never later than the time that the database counts from.
   */
  #extend(asked: number): void {
    this.#heldUntil = asked + this.#times.leaseMs - this.#times.marginMs
  }

  #renewLater(pause: number): void {
    if (this.#closed) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#renew(), pause)
    this.#timer.unref()
  }

  async #renew(): Promise<void> {
    const asked = performance.now()
    const epoch = this.#epoch
    try {
      const renewed = await this.#store.query(
        `UPDATE sallyport.replicas SET lease_until = clock_timestamp() + $3 * interval '1 ms'
         WHERE replica = $1 AND epoch = $2 AND closed_at IS NULL AND lease_until > clock_timestamp()
         RETURNING epoch`,
        [this.replica, epoch, this.#times.leaseMs],
      )
      // Closed: once the lease has run out, another replica may be cleaning up after the epoch, and
      // nothing is done for it any more.
      if (renewed.length === 0) return await this.advance(epoch)
      if (epoch === this.#epoch) this.#extend(asked)
      this.#renewLater(this.#times.leaseMs / 3)
    } catch {
      // Closed as well: without an answer the lease runs out by itself, and `held` tells.
      this.#renewLater(this.#times.leaseMs / 30)
    }
  }
}
