import { STATUS_CODES } from 'node:http'
import { Problem } from '../../core/errors.ts'
import { dpopChallenge } from '../../identity/dpop.ts'
import { Refusal } from '../../identity/refusal.ts'
import type { Log } from '../../telemetry/log.ts'
import type { AgentResponse } from './client.ts'

/**
 * Milliseconds for which a refused client may go on sending its body. Cutting it off at once could
 * destroy the answer on its way.
 */
const linger = 5_000

/**
 * An error as the client may see it. Anything but a `Problem` is a defect, which is logged and
 * shown without its message. The cause of a failure behind the gateway is logged too: the operator
 * has to see it, and the agent must not.
 */
export function asProblem(error: unknown, log: Log): Problem {
  if (error instanceof Problem) {
    if (error.status >= 500) {
      log.warn(
        { err: error.cause, code: error.code, action: error.members['action'] },
        error.message,
      )
    }
    return error
  }
  log.error({ err: error }, 'a request failed inside the gateway')
  return new Problem('internal-error', 'Sallyport failed, and forwarded nothing more.')
}

/**
 * Answers with `application/problem+json` (RFC 9457). Does nothing if the response has begun or its
 * client has gone.
 */
export function sendProblem(response: AgentResponse, problem: Problem): void {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(JSON.stringify(problem))
  response.writeHead(
    problem.status,
    STATUS_CODES[problem.status]!,
    problemHeaders(problem, body.length),
  )
  response.end(body)
  cutOff(response)
}

export function problemHeaders(problem: Problem, bytes: number): string[] {
  const { code, members } = problem
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(bytes),
    'Cache-Control',
    'no-store',
  ]
  if (code === 'unauthenticated') headers.push(...challenges(members['reason']))
  if (problem instanceof Refusal && problem.nonce !== null) {
    headers.push('DPoP-Nonce', problem.nonce)
  }
  if (typeof members['retry_after'] === 'number') {
    headers.push('Retry-After', String(members['retry_after']))
  }
  if (typeof members['action'] === 'string') headers.push('Sallyport-Action', members['action'])
  return headers
}

/**
 * The WWW-Authenticate headers: RFC 6750 §3; for a missing or bad proof RFC 9449 §7.1, and §9 where
 * it needs a nonce.
 */
function challenges(reason: unknown): string[] {
  const bearer = ['WWW-Authenticate', 'Bearer realm="sallyport"']
  if (typeof reason !== 'string' || !reason.startsWith('proof-')) return bearer
  return [...bearer, 'WWW-Authenticate', dpopChallenge(reason)]
}

/** Ends the request of a client that keeps sending what nobody reads. */
export function cutOff(response: AgentResponse): void {
  const { req } = response
  // A request without a body has nothing left to send, and emits no end.
  if (req.complete || req.destroyed) return
  const timer = setTimeout(() => response.stopReading(), linger)
  const done = (): void => clearTimeout(timer)
  req.once('end', done)
  req.once('close', done)
}
