import type { AuditLog } from '../audit/append.ts'
import type { Holds } from '../approvals/hold.ts'
import type { Config } from '../config/schema.ts'
import type { Party } from '../core/subject.ts'
import type { Shown } from '../identity/trusted.ts'
import type { Lease, LeaseTimes } from '../store/lease.ts'
import type { Store } from '../store/db.ts'
import type { Sealer } from '../store/sealer.ts'
import type { DataUsage } from '../usage/data-usage.ts'
import type { Log } from '../telemetry/log.ts'
import type { Announcing } from './notices/announce.ts'
import type { PoliciesInForce } from './in-force/generations.ts'
import type { Lines } from './lines.ts'
import type { Outcomes } from './outcomes.ts'

/** What every step of the gate works with. */
export interface GateContext {
  readonly store: Store
  readonly audit: AuditLog
  readonly holds: Holds
  readonly lines: Lines
  /** This replica's hold on its epoch: without it nothing is sent. */
  readonly lease: Lease
  /** When others are taken for dead. */
  readonly leaseTimes: LeaseTimes
  /** Takes the outcomes of runs. */
  readonly outcomes: Outcomes
  /** The policies in force; each decision uses one version throughout. */
  readonly policies: () => PoliciesInForce
  /**
   * Resolves when the policies are those that are in force for all replicas, as far as that is
   * possible.
   */
  readonly catchUp: () => Promise<void>
  readonly limits: Config['hold']
  /**
   * Whether somebody who showed some time ago who they are would still be that by the identity in
   * force.
   */
  readonly trusts: (party: Party, how: Shown) => boolean
  /** Seals the requests and responses that are kept for `respond-async`. */
  readonly sealer: Sealer
  /**
   * Resources on which nothing is held or denied, only recorded. Whatever is not in here is
   * enforced.
   */
  readonly observed: ReadonlySet<string>
  /** Where approvals are announced besides the console. */
  readonly announcing: Announcing
  readonly usage: DataUsage
  readonly log: Log
}
