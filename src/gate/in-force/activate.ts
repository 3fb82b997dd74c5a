import type { Approval } from '../../approvals/approval.ts'
import type { AuditLog } from '../../audit/append.ts'
import type { Subject } from '../../core/subject.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { Queryable, Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import {
  beginGeneration,
  keepVersion,
  lastGenerationOf,
  lockInForce,
  readInForce,
  type InForce,
  type NewGeneration,
} from './generations.ts'

/** Notifications on this channel say that another generation is in force. */
export const policiesChannel = 'sallyport_policies'

/**
 * Asks the policies in force whether others may replace them. Resolves to `null` if so, otherwise
 * to the approval that this waits for, or `denied`.
 */
export type Authorize = (
  next: CompiledPolicies,
  before: InForce,
) => Promise<Approval | 'denied' | null>

export interface ActivationDeps {
  readonly store: Store
  readonly audit: AuditLog
  readonly replica: string
  readonly log: Log
}

interface Proposal {
  /**
   * The generation since which the files have said what they said before this change; 0 if unknown.
   */
  readonly base: number
  /** `null` where there are no policies that could be asked. */
  readonly authorize: Authorize | null
  /** The person who proposes it; `null` for files. */
  readonly subject?: Subject | null
}

export interface Put {
  /**
   * What became of the proposal. `generation` is the one that equals the files or, for `withheld`,
   * the one in force.
   */
  readonly change: 'new' | 'none' | 'outdated' | 'withheld'
  readonly generation: number
  /** The approval that it waits for, if a rule holds it. */
  readonly approval: Approval | null
}

/**
 * Puts the policies of a replica's files into force, unless they were in force at some time after
 * `base`, the generation since which the files have said what they said before. A replica that
 * starts, or whose files lag behind, often has old files, and must not bring back what somebody has
 * replaced since.
 */
export async function putInForce(
  deps: ActivationDeps,
  next: CompiledPolicies,
  { base, authorize, subject = null }: Proposal,
): Promise<Put> {
  const { store, audit, replica } = deps
  await store.tx((tx) => keepVersion(tx, next))
  const before = await readInForce(store)
  const known = await settled(store, before, next.hash, base)
  if (known) return known
  const held = (await authorize?.(next, before)) ?? null
  if (held) {
    const approval = held === 'denied' ? null : held
    return { change: 'withheld', generation: before.generation, approval }
  }
  const put = await store.tx(async (tx): Promise<Put> => {
    const now = await lockInForce(tx)
    const meanwhile = await settled(tx, now, next.hash, base)
    if (meanwhile) return meanwhile
    // Another replica was faster, so this is not what it was authorized to replace. The next try
    // asks again.
    if (now.generation !== before.generation) throw new Error('other policies came into force')
    const by = { hash: next.hash, replica, approval: null, proposed: subject !== null, subject }
    const generation = await activate(tx, audit, now, by)
    return { change: 'new', generation, approval: null }
  })
  if (put.change === 'new') announce(deps, put.generation)
  return put
}

/** Begins a generation and records it. To be called under the lock of `lockInForce`. */
export async function activate(
  tx: Queryable,
  audit: AuditLog,
  before: InForce,
  by: NewGeneration & { readonly subject: Subject | null },
): Promise<number> {
  const generation = await beginGeneration(tx, before, by)
  await audit.write(tx, {
    type: 'policy.activated',
    policy: by.hash,
    ...(by.subject && { subject: by.subject }),
    ...(by.approval !== null && { approval: by.approval }),
    details: { generation, instead_of: before.hash },
  })
  return generation
}

/**
 * Notifies other replicas, after the commit. Only a hint: whoever misses it looks once a second.
 */
export function announce({ store, audit, log }: ActivationDeps, generation: number): void {
  audit.linkWritten()
  store.notify(policiesChannel, String(generation)).catch((error: unknown) => {
    log.warn({ err: error, generation }, 'other replicas were not notified; they will look')
  })
}

async function settled(
  db: Queryable,
  { generation, hash }: InForce,
  next: string,
  base: number,
): Promise<Put | null> {
  if (next === hash) return { change: 'none', generation, approval: null }
  const since = await lastGenerationOf(db, next, base)
  return since === null ? null : { change: 'outdated', generation: since, approval: null }
}
