import { createTwoFilesPatch } from 'diff'
import { basename } from 'node:path'
import type { Approval } from '../../approvals/approval.ts'
import { Problem } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { PolicyDocument } from '../../policy/read-rules.ts'
import { activate, announce, type ActivationDeps, type Authorize } from '../in-force/activate.ts'
import type { GateContext } from '../context.ts'
import type { ErrandWork } from './errands.ts'
import { filesIssuer, filesSubject } from './files-subject.ts'
import { readVersion, type InForce } from '../in-force/generations.ts'
import { govern } from './govern.ts'

/**
 * Asks the policies in force whether others may replace them, on behalf of whoever proposes those.
 */
export function authorizeChange(ctx: GateContext, subject: Subject): Authorize {
  return async (next, before) =>
    govern(ctx, {
      operation: 'policy.activate',
      subject,
      target: next.hash,
      summary: `policy.activate ${next.hash.slice(0, 12)} instead of ${before.hash?.slice(0, 12)}`,
      payload: await shownChange(ctx, next, before),
    })
}

/**
 * Does the same for files that changed. Nobody waits for an answer, so a hold or a denial is
 * logged; a denial is on record too.
 */
export function authorizeFiles(ctx: GateContext, adminGroup: () => string | undefined): Authorize {
  return async (next, before) => {
    try {
      const subject = filesSubject('policy-files', adminGroup())
      const approval = await authorizeChange(ctx, subject)(next, before)
      if (approval && approval !== 'denied') {
        ctx.log.warn(
          { policy: next.hash, approval: approval.id },
          'the policy files changed, and a rule holds that: they come into force when people have approved it',
        )
      }
      return approval
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'denied') throw error
      ctx.log.error(
        { policy: next.hash, reason: error.members['reason'], detail: error.message },
        'the policy files changed, and a rule denies that; the policies before stay in force',
      )
      return 'denied'
    }
  }
}

async function shownChange(
  { store }: GateContext,
  next: CompiledPolicies,
  before: InForce,
): Promise<JsonObject> {
  const documents = before.hash === null ? [] : await readVersion(store, before.hash)
  const text = diffOf(documents, next.documents)
  return {
    operation: 'policy.activate',
    instead_of: before.hash,
    policy: next.hash,
    body: { media_type: 'text/x-diff', bytes: Buffer.byteLength(text), text },
  }
}

/** A unified diff of two sets of policy files, by their names. */
function diffOf(before: readonly PolicyDocument[], after: readonly PolicyDocument[]): string {
  const texts = (documents: readonly PolicyDocument[]) =>
    new Map(documents.map(({ file, text }) => [basename(file), text]))
  const [old, current] = [texts(before), texts(after)]
  const names = [...new Set([...old.keys(), ...current.keys()])].toSorted()
  return names
    .filter((name) => old.get(name) !== current.get(name))
    .map((name) => {
      const side = (from: Map<string, string>) => (from.has(name) ? name : '/dev/null')
      return createTwoFilesPatch(
        side(old),
        side(current),
        old.get(name) ?? '',
        current.get(name) ?? '',
      )
    })
    .join('')
}

interface ChangePayload {
  readonly instead_of: string | null
  readonly policy: string
}

/**
 * The version of the policies that an approval proposes: its SHA-256, in hex. `null` for any other
 * approval, and once the payload was erased.
 */
export function proposedVersion({ action, payload }: Approval): string | null {
  const { policy } = payload as Partial<ChangePayload>
  return action.name === 'policy.activate' && policy !== undefined ? policy : null
}

/** Puts approved policies into force. */
export function policyErrand(deps: ActivationDeps): ErrandWork {
  const change = ({ payload }: Approval) => payload as unknown as ChangePayload
  return {
    async obstacle(_step, approval, now) {
      return change(approval).instead_of === now.hash
        ? null
        : 'Other policies came into force since this was proposed: what was approved is not the change that it would make now.'
    },
    async run({ tx }, approval, now) {
      const { id, action } = approval
      const proposed = action.subject.issuer !== filesIssuer
      const by = { hash: change(approval).policy, replica: deps.replica, approval: id, proposed }
      const generation = await activate(tx, deps.audit, now, { ...by, subject: action.subject })
      return () => announce(deps, generation)
    },
  }
}
