import type { AuditLog } from '../audit/append.ts'
import type { Problem } from '../core/errors.ts'
import { FewASecond } from '../core/few-a-second.ts'
import type { Subject } from '../core/subject.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Events a second at most: a request costs its sender next to nothing, and must not be able to fill
 * the audit log.
 */
const perSecond = 20
/** Characters of what was asked for. */
const longest = 300

/**
 * A request that never became an action: there was nothing to decide about, or it could be read in
 * more than one way.
 */
export interface RefusedRequest {
  readonly subject: Subject
  /** One line for people, as it came: what was asked for. Data, never mark-up. */
  readonly summary: string
  readonly problem: Problem
}

/**
 * Puts on record what known subjects tried and were refused before anything was decided; those
 * beyond the limit are counted in the next event.
 */
export function createRefusedRequests(
  audit: Pick<AuditLog, 'append'>,
  log: Log,
): (refused: RefusedRequest) => void {
  const few = new FewASecond(perSecond)

  return ({ subject, summary, problem }) => {
    const leftOut = few.pass()
    if (leftOut === null) return
    const details = {
      summary: summary.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd'),
      detail: problem.message,
      ...(leftOut > 0 && { more_since_the_last: leftOut }),
    }
    // Nobody waits for it: nothing is forwarded, also when this cannot be written.
    audit
      .append({ type: 'request.refused', subject, reason: problem.code, details })
      .catch((error: unknown) =>
        log.warn({ err: error, reason: problem.code }, 'a refused request is not on record'),
      )
  }
}
