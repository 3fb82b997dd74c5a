import { Problem } from '../core/errors.ts'
import type { Subject } from '../core/subject.ts'

/**
 * Why a credential, or a login, was refused: the member `reason` of the problem, and the reason
 * code of `identity.refused` events. Stable. None of these texts contains any part of the
 * credential.
 */
export const refusals = {
  missing: 'Send a token or an agent key: Authorization: Bearer ….',
  malformed: 'This is neither a signed JWT nor an agent key.',
  'unknown-issuer': 'The issuer of this token is not configured here.',
  'wrong-audience':
    'This token is meant for somebody else. Ask its issuer for one for this audience.',
  'not-an-access-token':
    'This is another kind of token. Present an access token, not an ID, refresh or logout token.',
  'proof-required':
    'This token is bound to a key of its holder (cnf). Prove that you have it: by a DPoP header, or by the client certificate.',
  'proof-invalid': 'The proof that came with this token does not fit it, or this request.',
  'proof-nonce':
    'Put the nonce of the header DPoP-Nonce into the proof, and send the request again.',
  'proof-replayed': 'This proof was used before. Make a new one for each request.',
  'algorithm-not-allowed': 'The signature algorithm of this token is not accepted from its issuer.',
  'unknown-key': 'The issuer of this token has no such key.',
  'bad-signature': 'The signature of this token is wrong.',
  'token-expired': 'This token has expired. Ask its issuer for a new one.',
  'token-not-yet-valid':
    'This token is not valid yet. Look at the clocks of the issuer and of this gateway.',
  'bad-claims': 'A claim of this token is missing, or not what it has to be.',
  'issuer-unavailable':
    'The keys of this issuer cannot be fetched, so its tokens cannot be checked.',
  'certificate-untrusted':
    'This client certificate is not, or no longer, signed by an authority that counts here. Connect again with a good one.',
  'certificate-unknown': 'Nothing says whom this client certificate stands for.',
  'certificate-ambiguous': 'This client certificate could stand for more than one.',
  'certificate-expired': 'This client certificate has expired.',
  'token-inactive': 'The issuer of this token says that it is worth nothing (any more).',
  'introspection-failed':
    'The issuer of this token could not be asked about it, or gave an answer that cannot be trusted.',
  'session-revoked': 'The identity provider ended the session of this subject. Log in again.',
  'account-disabled':
    'The identity provider disabled the account of this subject, or of its owner.',
  'key-unknown': 'There is no such agent key.',
  'key-revoked': 'This agent key has been revoked.',
  'key-expired': 'This agent key has expired.',
  'session-ended': 'This login has ended. Log in again.',
  'login-expired': 'This login took too long, or was started in another browser. Log in again.',
  'login-denied': 'The identity provider did not let you in.',
  'login-failed': 'The identity provider gave an answer that cannot be trusted.',
  'provider-unavailable': 'The identity provider does not answer. Try again later.',
} as const

export type RefusalReason = keyof typeof refusals

/** Thrown for a credential that proves nothing. Whoever presented it counts as nobody. */
export class Refusal extends Problem {
  readonly reason: RefusalReason
  /**
   * Whose credential it is, where that is known even though it is not valid. For the audit log
   * only, never for a decision.
   */
  readonly subject: Subject | null
  /** The nonce that the next proof has to contain, with the reason `proof-nonce`. */
  readonly nonce: string | null

  constructor(
    reason: RefusalReason,
    options: { about?: string; subject?: Subject; nonce?: string; cause?: unknown } = {},
  ) {
    const { about, subject = null, nonce = null, cause } = options
    const detail = about ? `${refusals[reason]} (${about})` : refusals[reason]
    super('unauthenticated', detail, { reason }, { cause })
    this.reason = reason
    this.subject = subject
    this.nonce = nonce
  }
}
