import { channelHealth } from '../approvals/outbox.ts'
import { countByState } from '../approvals/lists.ts'
import { auditBacklog } from '../audit/backlog.ts'
import { deliveryHealth } from '../audit/delivery/health.ts'
import { unreadableEvents } from '../audit/unreadable.ts'
import { probe } from '../store/probe.ts'
import type { Facts } from '../telemetry/show-facts.ts'
import { usageBacklog } from '../usage/backlog.ts'
import type { GateContext } from './context.ts'

/**
 * Milliseconds that a health check or a scrape waits for the store: less than either waits for us.
 */
const patience = 2_000

interface Health {
  /** What keeps this replica from taking work now, or `null`. */
  obstacle(): Promise<'draining' | 'store-away' | 'lease-lost' | 'policies-unreadable' | null>
  /** The current facts for the metrics. */
  facts(): Promise<Facts>
}

/**
 * Tells how this replica is doing. `behind`: whether it cannot read the policies that another
 * replica put into force. `deliveries`: the names of the audit log's deliveries. `background`: the
 * work that follows from the audit log.
 */
export function healthOf(
  { store, lease, holds, audit, policies, announcing }: GateContext,
  behind: () => boolean,
  deliveries: readonly string[],
  background: { readonly down: boolean },
): Health {
  const answer = probe(() => store.query('SELECT 1'), patience)
  const openApprovals = probe(() => countByState(store), patience)
  const channels = probe(() => channelHealth(store, announcing.channels), patience)
  const backlog = probe(
    async () =>
      new Map(Object.entries({ ...(await auditBacklog(store)), usage: await usageBacklog(store) })),
    patience,
  )
  const unreadable = probe(() => unreadableEvents(store), patience)
  const delivered = probe(() => deliveryHealth(store, deliveries), patience)
  return {
    async obstacle() {
      if (holds.draining) return 'draining'
      if ((await answer()) === null) return 'store-away'
      if (!lease.held()) return 'lease-lost'
      return behind() ? 'policies-unreadable' : null
    },
    async facts() {
      const { hash, rules } = policies()
      return {
        storeKind: store.kind,
        leaseHeld: lease.held(),
        policy: { hash, rules: rules.length },
        holdsWaiting: holds.waiting,
        auditQueue: audit.waiting,
        backgroundUp: !background.down,
        backlog: await backlog(),
        unreadable: (await unreadable())?.events ?? null,
        openApprovals: await openApprovals(),
        channels: await channels(),
        deliveries: await delivered(),
      }
    },
  }
}
