import type { Config } from '../config/schema.ts'
import { Problem } from '../core/errors.ts'
import type { Principal } from '../core/subject.ts'
import { StoreError, type Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { createCertificateSubjects } from './certificate-subject.ts'
import { watchEndedSubjects } from './ended-subjects.ts'
import { tokenHash, type VerifiedToken } from './jwt.ts'
import { keyPrefix } from './key-format.ts'
import { createKeyLookup } from './key-lookup.ts'
import { needsNoProof, nothingElse, provePossession, type Presented } from './possession.ts'
import { Recent } from './recent.ts'
import type { Recorder } from './recorder.ts'
import { Refusal, type RefusalReason } from './refusal.ts'
import { createRefusalRecord } from './refusal-record.ts'
import { createTokenVerifier } from './token.ts'
import { isStillTrusted } from './trusted.ts'
import { sweepUsedIds } from './used-once.ts'

const capacity = 10_000

export interface Authenticator {
  /**
   * Proves who presents a credential. `token` is empty for somebody with only a client certificate.
   * Throws or rejects with the problem `unauthenticated`, whose member `reason` is one of
   * `refusals`, and with `store-unavailable` when something cannot be looked up. Answers at once,
   * not with a promise, when the token was verified a moment ago and there is nothing more to
   * prove.
   */
  authenticate(token: string, presented?: Presented): Principal | Promise<Principal>
  /**
   * Whether the certificate alone stands for somebody, for protocols that then do not ask for a
   * token. Records nothing.
   */
  suffices(presented: Presented): boolean
  /**
   * Checks a session that was authenticated by a token or a certificate. Throws or rejects with the
   * problem `unauthenticated` when that has expired, or was ended by its issuer. A proof of
   * possession is not asked for again. Keys have to be authenticated again instead.
   */
  recheck(principal: Principal): void | Promise<void>
  /**
   * Replaces the trusted issuers and certificates. Everything that was verified before is verified
   * again.
   */
  trust(identity: AuthenticatorDeps['identity']): void
  close(): Promise<void>
}

export interface AuthenticatorDeps {
  readonly identity: Config['identity']
  readonly store: Store
  readonly recorder: Recorder
  readonly log: Log
  /** The nonces that proofs of possession have to contain; absent if they need none. */
  readonly nonces?: DpopNonces | null
  /** Called for every refusal, even if there are too many to record each. */
  readonly onRefusal?: (reason: RefusalReason) => void
}

export async function createAuthenticator({
  identity,
  store,
  recorder,
  log,
  nonces = null,
  onRefusal = () => {},
}: AuthenticatorDeps): Promise<Authenticator> {
  // Owned by trust().
  let trusted = identity
  let verifyToken = createTokenVerifier(identity, log)
  let certificateSubject = createCertificateSubjects(identity.certificates)
  const keys = await createKeyLookup(store)
  const ended = await watchEndedSubjects(store, log)
  const sweeper = sweepUsedIds(store, log)
  const verified = new Recent<VerifiedToken>(capacity)
  const recordRefusal = createRefusalRecord(recorder, log)

  async function verify(token: string, hash: string, presented: Presented): Promise<Principal> {
    const by = verifyToken
    const known = await by(token)
    // Remember nothing that an earlier verifier said, if others are trusted by now.
    if (by === verifyToken) verified.set(hash, known, known.until)
    return prove(token, known, presented)
  }

  function prove(
    token: string,
    { principal, confirmation }: VerifiedToken,
    presented: Presented,
  ): Principal | Promise<Principal> {
    if (needsNoProof(confirmation, presented)) return principal
    return provePossession(token, confirmation, presented, { db: store, nonces }).then(
      () => principal,
    )
  }

  function find(token: string, presented: Presented): Principal | Promise<Principal> {
    const { certificate, request } = presented
    if (token === '') {
      if (!certificate) throw new Refusal('missing')
      return certificateSubject(certificate)
    }
    if (token.startsWith(keyPrefix)) {
      if (request?.scheme === 'dpop') throw new Refusal('proof-invalid', { about: 'agent key' })
      return keys.find(token)
    }
    const hash = tokenHash(token)
    const known = verified.get(hash, Date.now())
    return known ? prove(token, known, presented) : verify(token, hash, presented)
  }

  /**
   * Checked last, and for remembered tokens too: the session of somebody behind it may have ended
   * meanwhile.
   */
  function live(principal: Principal): Principal {
    ended.refuse(principal.credential)
    return principal
  }

  function refused(shown: string, error: unknown): unknown {
    if (error instanceof Refusal) {
      onRefusal(error.reason)
      // Not recorded: a client learns the nonce by sending a proof without it, and then makes
      // another.
      if (error.reason !== 'proof-nonce') recordRefusal(error, shown)
    }
    if (!(error instanceof StoreError)) return error
    // Closed: a key that cannot be looked up may have been revoked, and a proof may have been used.
    return new Problem(
      'store-unavailable',
      'This credential cannot be looked up, because the store does not answer.',
      {},
      { cause: error },
    )
  }

  return {
    authenticate(token, presented = nothingElse) {
      const shown = token === '' ? (presented.certificate?.thumbprint ?? '') : token
      try {
        const principal = find(token, presented)
        if (!(principal instanceof Promise)) return live(principal)
        return principal.then(live).catch((error: unknown) => {
          throw refused(shown, error)
        })
      } catch (error) {
        throw refused(shown, error)
      }
    },
    suffices({ certificate }) {
      try {
        return certificate !== null && certificateSubject(certificate) !== null
      } catch (error) {
        if (error instanceof Refusal) return false
        throw error
      }
    },
    recheck(principal) {
      const { expiresAt, recheck, kind } = principal.credential
      if (!isStillTrusted(trusted, principal.subject, kind)) throw new Refusal('unknown-issuer')
      if (expiresAt !== null && expiresAt <= Date.now())
        throw new Refusal(kind === 'certificate' ? 'certificate-expired' : 'token-expired')
      live(principal)
      return recheck?.().then(() => undefined)
    },
    trust(now) {
      trusted = now
      verifyToken = createTokenVerifier(now, log)
      certificateSubject = createCertificateSubjects(now.certificates)
      verified.clear()
    },
    async close() {
      sweeper.close()
      await ended.close()
      await keys.close()
    },
  }
}
