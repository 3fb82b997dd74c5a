import { Problem } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import type { GateContext } from '../context.ts'
import { runErrand, type ErrandWork } from './errands.ts'
import { govern } from './govern.ts'
import { taskOf } from '../task.ts'

/**
 * An export goes to whoever asks for it, so it is made when they ask again. Here it is only marked
 * as done.
 */
const handOver: ErrandWork = { obstacle: async () => null, run: async () => () => {} }

/**
 * Resolves when this subject may export the audit log now. Rejects with `denied`, and with
 * `approval-pending` where a rule holds it: once people have approved it, the same export runs once
 * when the same subject asks again.
 */
export async function authorizeExport(
  ctx: GateContext,
  subject: Subject,
  asked: JsonObject,
): Promise<void> {
  const held = await govern(ctx, {
    operation: 'audit.export',
    subject,
    target: 'audit',
    summary: 'audit.export',
    payload: { operation: 'audit.export', ...asked },
  })
  if (!held) return
  if (held.state === 'approved' && (await runErrand(ctx, { 'audit.export': handOver }, held.id))) {
    return
  }
  throw new Problem(
    'approval-pending',
    `A rule holds this export. Ask for it again, unchanged, when people have approved ${held.id}.`,
    { reason: held.decision.reason, rules: held.decision.rules, task: taskOf(held) },
  )
}
