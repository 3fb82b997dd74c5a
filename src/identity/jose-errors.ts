import { errors } from 'jose'
import { IssuerUnavailable } from './issuer-keys.ts'
import { Refusal } from './refusal.ts'

/** Maps jose's errors to refusals. */
export function refusalFrom(cause: unknown): Refusal {
  if (cause instanceof IssuerUnavailable) return new Refusal('issuer-unavailable', { cause })
  if (cause instanceof errors.JWTExpired) return new Refusal('token-expired', { cause })
  if (cause instanceof errors.JOSEAlgNotAllowed) {
    return new Refusal('algorithm-not-allowed', { cause })
  }
  if (cause instanceof errors.JWSSignatureVerificationFailed) {
    return new Refusal('bad-signature', { cause })
  }
  if (
    cause instanceof errors.JWKSNoMatchingKey ||
    // A token has to say which of several keys it is signed with (OpenID Connect Core 1.0, §10.1).
    cause instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return new Refusal('unknown-key', { cause })
  }
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === 'aud') return new Refusal('wrong-audience', { cause })
    if (cause.claim === 'nbf') return new Refusal('token-not-yet-valid', { cause })
    return new Refusal('bad-claims', { about: cause.claim, cause })
  }
  // Closed: whatever else is wrong, jose could not verify the token.
  return new Refusal('malformed', { cause })
}
