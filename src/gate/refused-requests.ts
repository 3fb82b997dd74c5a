import type { AuditLog } from '../audit/append.ts'
import type { Problem } from '../core/errors.ts'
import { FewASecond } from '../core/few-a-second.ts'
import type { Subject } from '../core/subject.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * The most events a second. A request costs its sender next to nothing, and must not be able to
 * fill the audit log.
 */
const perSecond = 20
/** The most characters of a summary. */
const longest = 300

/**
 * A request that never became an action, because there was nothing to decide about, or because it
 * could be read in more than one way.
 */
export interface RefusedRequest {
  readonly subject: Subject
  /** What was asked for, in one line for people, as it came. Data, never mark-up. */
  readonly summary: string
  readonly problem: Problem
}

/**
 * Returns a function that puts requests on record which known subjects made and which were refused
 * before any decision. Those beyond the limit are counted in the next event.
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
    // Not awaited: nothing is forwarded in any case, even if this cannot be written.
    audit
      .append({ type: 'request.refused', subject, reason: problem.code, details })
      .catch((error: unknown) =>
        log.warn({ err: error, reason: problem.code }, 'a refused request is not on record'),
      )
  }
}
