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
  /** This replica's lease on its epoch. Without it nothing is sent. */
  readonly lease: Lease
  /** The times after which other replicas are taken for dead. */
  readonly leaseTimes: LeaseTimes
  /** Records the outcomes of runs. */
  readonly outcomes: Outcomes
  /** The policies in force; each decision uses one version throughout. */
  readonly policies: () => PoliciesInForce
  /**
   * Loads the policies that are in force for all replicas. Resolves also where they cannot be
   * loaded.
   */
  readonly catchUp: () => Promise<void>
  readonly limits: Config['hold']
  /** Whether the identity settings in force still trust whoever vouched for this party. */
  readonly trusts: (party: Party, how: Shown) => boolean
  /** Seals the requests and responses that are kept for `respond-async`. */
  readonly sealer: Sealer
  /** Resources on which decisions are recorded and not enforced. */
  readonly observed: ReadonlySet<string>
  /** The channels, besides the console, through which approvals are announced. */
  readonly announcing: Announcing
  readonly usage: DataUsage
  readonly log: Log
}
