import type { Approval } from '../../approvals/approval.ts'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'

/**
 * Whether a change that a file proposes has to wait, or is denied. Nobody waits for an answer, so
 * either is logged; a denial is on record too. `what` begins the line in the log.
 */
export async function isWithheld(
  log: Log,
  what: string,
  asked: Promise<Approval | null>,
): Promise<boolean> {
  try {
    const approval = await asked
    if (!approval) return false
    log.warn(
      { approval: approval.id },
      `${what}, and a rule holds that: what was in force stays so until people have approved it`,
    )
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'denied') throw error
    log.error(
      { reason: error.members['reason'], detail: error.message },
      `${what}, and a rule denies that; what was in force stays so`,
    )
  }
  return true
}
