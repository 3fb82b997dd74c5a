import { Problem } from '../../core/errors.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import type { Guest } from './arrival.ts'
import { Rejection } from './rejection.ts'

/**
 * Asks whether the credential that a session began with is still worth something. A token runs out
 * by itself, or its issuer ends it; a key can be revoked at any time. So can a certificate. Throws
 * or rejects with a `Rejection`.
 */
export function stillTrusted(
  authenticator: Pick<Authenticator, 'authenticate' | 'recheck'>,
  { token, principal, certificate }: Pick<Guest, 'token' | 'principal' | 'certificate'>,
): () => void | Promise<void> {
  const ask =
    principal.credential.kind === 'agent-key'
      ? () => authenticator.authenticate(token)
      : () => authenticator.recheck(principal)
  return () => {
    // Also beside a token: it may be bound to it, or the listener may let nobody in without one.
    // Whoever it still is connects again.
    if (certificate?.trusted && !certificate.stillTrusted()) throw expired(mistrusted)
    try {
      const found = ask()
      return found instanceof Promise ? found.then(() => undefined, refuse) : undefined
    } catch (error) {
      return refuse(error)
    }
  }
}

const mistrusted = 'its client certificate was revoked, or has to be shown again'

function refuse(error: unknown): never {
  throw error instanceof Problem && error.code === 'unauthenticated'
    ? expired(error.message)
    : error
}

function expired(why: string): Rejection {
  return new Rejection(
    '57P01',
    `the credential of this session is no longer valid: ${why}`,
    'Connect again with a new one.',
  )
}
