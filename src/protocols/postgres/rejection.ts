import { Problem } from '../../core/errors.ts'
import { UpstreamRefusal } from './login/upstream-refusal.ts'
import { WireFault } from './wire/fault.ts'
import { report, type Report } from './wire/messages.ts'

/** Why a connection is refused or ends, in words for its client. */
export class Rejection extends Error {
  override readonly name = 'Rejection'
  readonly report: Report

  constructor(code: string, message: string, hint?: string) {
    super(message)
    this.report = { severity: 'FATAL', code, message, ...(hint !== undefined && { hint }) }
  }
}

/**
 * The last message of a connection, whatever ended it. A defect of ours is shown without its cause.
 */
export function farewell(error: unknown): Buffer {
  return report(reportOf(error))
}

function reportOf(error: unknown): Report {
  if (error instanceof Rejection) return error.report
  if (error instanceof WireFault || error instanceof UpstreamRefusal)
    return { severity: 'FATAL', code: error.code, message: error.message }
  if (error instanceof Problem) {
    const code = error.code === 'unauthenticated' ? '28P01' : '58000'
    return { severity: 'FATAL', code, message: error.message }
  }
  return {
    severity: 'FATAL',
    code: 'XX000',
    message: 'Sallyport failed, and ran nothing more.',
  }
}
