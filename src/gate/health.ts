import { channelHealth } from '../approvals/outbox.ts'
import { countByState } from '../approvals/store.ts'
import { probe } from '../store/probe.ts'
import type { Facts } from '../telemetry/metrics.ts'
import type { GateContext } from './context.ts'

/** Milliseconds that a probe or a scrape waits for the store: less than either of them waits for us. */
const patience = 2_000

interface Health {
  /** What keeps this replica from taking work now, or `null`. */
  obstacle(): Promise<'store-away' | 'lease-lost' | null>
  /** What metrics say about this moment. */
  facts(): Promise<Facts>
}

/** How this replica is. Policies are no question: it does not start without them, and a version with mistakes never takes the place of another. */
export function healthOf({
  store,
  lease,
  holds,
  audit,
  policies,
  announcing,
}: GateContext): Health {
  const answer = probe(() => store.query('SELECT 1'), patience)
  const openApprovals = probe(() => countByState(store), patience)
  const channels = probe(() => channelHealth(store, announcing.channels), patience)
  return {
    async obstacle() {
      if ((await answer()) === null) return 'store-away'
      return lease.held() ? null : 'lease-lost'
    },
    async facts() {
      const { hash, rules } = policies()
      return {
        storeKind: store.kind,
        leaseHeld: lease.held(),
        policy: { hash, rules: rules.length },
        holdsWaiting: holds.waiting,
        auditQueue: audit.waiting,
        openApprovals: await openApprovals(),
        channels: await channels(),
      }
    },
  }
}
