import type { Approval } from '../../approvals/approval.ts'
import {
  createLegalHold,
  releaseLegalHold,
  scopeInWords,
  type LegalHold,
  type LegalHoldScope,
} from '../../audit/retention/legal-hold.ts'
import { obstacleTo, retentionOf, type Claim, type Keeping } from '../../audit/retention/retain.ts'
import { Problem } from '../../core/errors.ts'
import type { Retention } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Party, Subject } from '../../core/subject.ts'
import { commit, type Step } from '../commit.ts'
import type { GateContext } from '../context.ts'
import type { ErrandWork } from './errands.ts'
import { govern } from './govern.ts'

/** The approval that it waits for if a rule holds it; otherwise what was done. */
export type Done<T> = { readonly held: Approval } | { readonly done: T }

export interface Retaining {
  readonly gate: GateContext
  readonly keeping: Keeping
}

/**
 * Puts on record that a month of the log is kept elsewhere, after which it may be taken out of the
 * database. Rejects with `bad-request` where the files do not have all of it, a legal hold covers
 * it, a delivery does not have it yet, or it is too recent; and with `denied`.
 */
export async function retainMonth(
  { gate, keeping }: Retaining,
  subject: Subject,
  claim: Claim,
): Promise<Done<Retention>> {
  const retention = await retentionOf(gate.store, claim, keeping)
  const { month } = retention
  const held = await govern(gate, {
    operation: 'audit.retain',
    subject,
    target: month,
    summary: `audit.retain ${month}`,
    payload: { operation: 'audit.retain', ...(retention as unknown as JsonObject) },
  })
  if (held) return { held }
  await commit(gate, async (step) => {
    const obstacle = await obstacleTo(step.tx, retention, keeping)
    if (obstacle) throw new Problem('bad-request', obstacle)
    await recordRetention(step, subject, retention)
  })
  return { done: retention }
}

/** Puts the same on record once it is approved. */
export function retention(keeping: Keeping): ErrandWork {
  const asked = ({ payload }: Approval) => payload as unknown as Retention
  return {
    obstacle: ({ tx }, approval) => obstacleTo(tx, asked(approval), keeping),
    async run(step, approval) {
      const { month, events, indexes, exports } = asked(approval)
      await recordRetention(step, approval.action.subject, { month, events, indexes, exports })
      return () => {}
    },
  }
}

function recordRetention(step: Step, subject: Subject, record: Retention): Promise<void> {
  return step.record({ type: 'audit.retained', subject, retention: record })
}

/**
 * Creates a legal hold, which keeps what it covers in the database and unerased. Rejects with
 * `denied`.
 */
export async function holdForLaw(
  gate: GateContext,
  by: Subject,
  asked: LegalHoldScope & { readonly reason: string },
): Promise<Done<LegalHold>> {
  const target = asked.action ?? asked.subject?.subject ?? 'time'
  const held = await govern(gate, {
    operation: 'legal_hold.create',
    subject: by,
    target,
    summary: `legal_hold.create ${target}`,
    payload: { operation: 'legal_hold.create', reason: asked.reason, ...scopeInWords(asked) },
  })
  if (held) return { held }
  return { done: await commit(gate, ({ tx, record }) => createLegalHold(tx, record, by, asked)) }
}

export function legalHoldCreation(): ErrandWork {
  interface Payload {
    readonly reason: string
    readonly from?: string
    readonly to?: string
    readonly of?: Party
    readonly action?: string
  }
  return {
    obstacle: async () => null,
    async run({ tx, record }, { payload, action: { subject } }) {
      const { reason, from, to, of, action } = payload as unknown as Payload
      await createLegalHold(tx, record, subject, {
        reason,
        from: from === undefined ? null : new Date(from),
        to: to === undefined ? null : new Date(to),
        subject: of ?? null,
        action: action ?? null,
      })
      return () => {}
    },
  }
}

/**
 * Ends a legal hold. Rejects with `not-found` where none with that id is in force, and with
 * `denied`.
 */
export async function releaseFromLaw(
  gate: GateContext,
  by: Subject,
  asked: { readonly id: string; readonly reason: string },
): Promise<Done<LegalHold>> {
  const { id, reason } = asked
  const held = await govern(gate, {
    operation: 'legal_hold.release',
    subject: by,
    target: id,
    summary: `legal_hold.release ${id}`,
    payload: { operation: 'legal_hold.release', hold: id, reason },
  })
  if (held) return { held }
  const done = await commit(gate, ({ tx, record }) => releaseLegalHold(tx, record, by, asked))
  if (!done) throw new Problem('not-found', `No legal hold ${id} is in force.`)
  return { done }
}

export function legalHoldRelease(): ErrandWork {
  const asked = ({ payload }: Approval) =>
    payload as { readonly hold: string; readonly reason: string }
  return {
    obstacle: async () => null,
    async run({ tx, record }, approval) {
      const { hold: id, reason } = asked(approval)
      // Resolves as well if somebody else has released it: nothing is left to do.
      await releaseLegalHold(tx, record, approval.action.subject, { id, reason })
      return () => {}
    },
  }
}
