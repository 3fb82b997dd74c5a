import { Problem } from '../../../core/errors.ts'
import type { ProblemCode } from '../../../core/reasons.ts'

/** An exchange with an upstream that did not end with a complete answer. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure'
  readonly code: ProblemCode
  /** Whether a byte of the request may have reached the upstream. */
  readonly sent: boolean

  constructor(code: ProblemCode, detail: string, sent: boolean, cause?: unknown) {
    super(detail, { cause })
    this.code = code
    this.sent = sent
  }

  toProblem(action: string): Problem {
    return new Problem(this.code, this.message, { action }, { cause: this })
  }
}
