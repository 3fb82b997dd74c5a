import { Problem } from '../../core/errors.ts'
import { StoreError } from '../../store/db.ts'

export function tooMuch(cause?: unknown): Problem {
  const detail =
    'This looks through too much. Narrow it down: a shorter time range, a resource or a subject.'
  return new Problem('bad-request', detail, {}, { cause })
}

/**
 * PostgreSQL, appendix A, classes 22 and 54: a value that no event can have, such as text with NUL
 * in it; or something in an event's place that is none.
 */
export function isAboutValues(error: unknown): error is StoreError {
  return error instanceof StoreError && /^(?:22|54)/.test(error.code)
}

/** What went wrong with a search, for whoever asked. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const cancelled = '57014'
  if (error.code === cancelled) return tooMuch(error)
  if (!isAboutValues(error)) return error
  return new Problem(
    'bad-request',
    `This cannot be searched for: ${error.message}`,
    {},
    { cause: error },
  )
}
