import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../core/errors.ts'
import { StoreError } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Answers with a problem (RFC 9457), whatever went wrong. What is not meant for the caller is
 * logged, and shown without its message.
 */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): FastifyReply {
  const problem = problemFrom(error)
  if (problem.status >= 500) {
    // Of the store nobody has to be told by each request.
    const level = problem.code === 'store-unavailable' ? 'warn' : 'error'
    log[level]({ err: error, method: request.method, path: pathOf(request) }, 'a request failed')
  }
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

export function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]!
}

/** PostgreSQL, appendix A: character_not_in_repertoire. */
const notText = '22021'

function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreError && error.ambiguous) {
    return new Problem('store-unavailable', 'The store does not answer. Try again later.')
  }
  if (error instanceof StoreError && error.code === notText) {
    return new Problem(
      'bad-request',
      'A text has a character in it that cannot be kept, such as NUL.',
    )
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message = 'is not valid' }) => ({
      at: instancePath,
      message,
    }))
    const [first] = errors
    return new Problem('bad-request', `${first?.at || 'The request'}: ${first?.message}`, {
      errors,
    })
  }
  const {
    code = '',
    statusCode = 500,
    message,
  } = error as Partial<Record<string, never>> & {
    code?: string
    statusCode?: number
    message: string
  }
  if (code.startsWith('FST_CSRF_')) {
    return new Problem(
      'csrf-failed',
      'The token in X-CSRF-Token is missing, or of another session.',
    )
  }
  // Fastify's own: a body that is too large, of another type, or no JSON.
  if (statusCode >= 400 && statusCode < 500) return new Problem('bad-request', message)
  return new Problem('internal-error', 'Something failed in the gateway. Its log says what.')
}
