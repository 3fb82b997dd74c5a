import { createTwoFilesPatch } from 'diff'
import { stringify } from 'yaml'
import type { Approval } from '../../approvals/approval.ts'
import type { AuditLog } from '../../audit/append.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import { hashOfIdentity, type GovernedIdentity } from '../../identity/governed.ts'
import type { GateContext } from '../context.ts'
import type { ErrandWork } from './errands.ts'
import { filesSubject } from './files-subject.ts'
import { govern } from './govern.ts'
import {
  activateIdentity,
  readIdentity,
  type IdentityGeneration,
} from '../in-force/identity-generations.ts'

interface ChangePayload {
  readonly instead_of: string
  readonly document: GovernedIdentity
}

/**
 * The subject of a change to the configuration: it counts as the administrators' by the settings
 * that were in force before, not by what they have written now.
 */
export function configurationSubject(before: GovernedIdentity): Subject {
  return filesSubject('configuration', before.roles.admin?.group)
}

/**
 * Asks the policies whether new identity settings may come into force. Resolves to the approval
 * that this waits for, or `null`. Rejects with `denied`.
 */
export function authorizeIdentity(
  ctx: GateContext,
  next: GovernedIdentity,
  before: IdentityGeneration,
): Promise<Approval | null> {
  const hash = hashOfIdentity(next)
  const text = createTwoFilesPatch('identity', 'identity', yaml(before.document), yaml(next))
  return govern(ctx, {
    operation: 'identity.change',
    subject: configurationSubject(before.document),
    target: hash,
    summary: `identity.change ${hash.slice(0, 12)} instead of ${before.hash.slice(0, 12)}`,
    payload: {
      operation: 'identity.change',
      instead_of: before.hash,
      document: next as unknown as JsonObject,
      body: { media_type: 'text/x-diff', bytes: Buffer.byteLength(text), text },
    },
  })
}

const yaml = (document: GovernedIdentity) => stringify(document, { lineWidth: 0 })

/** Puts approved identity settings into force. */
export function identityErrand(deps: {
  readonly audit: AuditLog
  readonly replica: string
  readonly announce: () => void
}): ErrandWork {
  const change = ({ payload }: Approval) => payload as unknown as ChangePayload
  return {
    async obstacle({ tx }, approval) {
      const now = await readIdentity(tx)
      return now?.hash === change(approval).instead_of
        ? null
        : 'Another identity came into force since this was proposed: what was approved is not the change that it would make now.'
    },
    async run({ tx }, approval) {
      const { id, action } = approval
      const { document } = change(approval)
      const by = { document, replica: deps.replica, subject: action.subject, approval: id }
      await activateIdentity(tx, deps.audit, await readIdentity(tx), by)
      return deps.announce
    },
  }
}
