import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { LoginAttempt } from '../identity/login.ts'
import type { Cookies } from './cookies.ts'

/** Seconds that somebody may take to log in at the identity provider. */
const patience = 600

const kept = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Milliseconds since the epoch. */
  until: z.number(),
})

/**
 * Leaves with the browser what it has to bring back from the identity provider. An answer that
 * arrives in another browser finds nothing there, and logs nobody in.
 */
export function keepAttempt(reply: FastifyReply, cookies: Cookies, attempt: LoginAttempt): void {
  const until = Date.now() + patience * 1000
  reply.setCookie(cookies.login, JSON.stringify({ ...attempt, until }), {
    ...cookies.options,
    signed: true,
    maxAge: patience,
  })
}

/** What this browser left with, or `null`. Of one use: it is taken away, whatever comes of it. */
export function takeAttempt(
  request: FastifyRequest,
  reply: FastifyReply,
  cookies: Cookies,
): LoginAttempt | null {
  reply.clearCookie(cookies.login, cookies.options)
  const { valid, value } = request.unsignCookie(request.cookies[cookies.login] ?? '')
  if (!valid) return null
  const { success, data } = kept.safeParse(parse(value))
  return success && Date.now() < data.until ? data : null
}

/**
 * Other cookies are signed with the same key: one of them in the place of this is no attempt, and
 * no defect of ours.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
