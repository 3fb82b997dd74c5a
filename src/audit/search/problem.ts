import { Problem } from '../../core/errors.ts'
import { StoreError } from '../../store/db.ts'

export function tooMuch(cause?: unknown): Problem {
  const detail =
    'This looks through too much. Narrow it down: a shorter time range, a resource or a subject.'
  return new Problem('bad-request', detail, {}, { cause })
}

/** What went wrong with a search, for whoever asked. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const cancelled = '57014'
  if (error.code === cancelled) return tooMuch(error)
  // Class 22: a value that no event can have, such as text with NUL in it.
  if (!error.code.startsWith('22')) return error
  return new Problem(
    'bad-request',
    `This cannot be searched for: ${error.message}`,
    {},
    { cause: error },
  )
}
