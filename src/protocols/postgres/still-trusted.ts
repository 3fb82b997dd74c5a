import { Problem } from '../../core/errors.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import type { Guest } from './arrival.ts'
import { Rejection } from './rejection.ts'

/**
 * Returns a check that the credential of a session is still valid: a token expires or its issuer
 * revokes it, and keys and certificates can be revoked at any time. The check throws or rejects
 * with a `Rejection` if it is not valid.
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
    // Checked beside a token too: the token may be bound to the certificate, or the listener may
    // require one. Whoever is still entitled can connect again.
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
