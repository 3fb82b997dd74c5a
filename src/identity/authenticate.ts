import type { Config } from '../config/schema.ts'
import { Problem } from '../core/errors.ts'
import type { Principal } from '../core/subject.ts'
import { StoreError, type Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { createJwtVerifier, tokenHash } from './jwt.ts'
import { keyPrefix } from './key-format.ts'
import { createKeyLookup } from './key-lookup.ts'
import { Recent } from './recent.ts'
import type { Recorder } from './recorder.ts'
import { Refusal, type RefusalReason } from './refusal.ts'
import { createRefusalRecord } from './refusal-record.ts'

/** Milliseconds until a token is verified again although it is valid still: its issuer may have withdrawn the key. */
const reverify = 5 * 60_000
const capacity = 10_000

export interface Authenticator {
  /**
   * Who presents this, proven. Throws or rejects with the problem `unauthenticated`, whose member `reason` is one of `refusals`, and with
   * `store-unavailable` when a key cannot be looked up. The answer comes at once, not as a promise, when the token was verified a moment ago.
   */
  authenticate(token: string): Principal | Promise<Principal>
  close(): Promise<void>
}

export interface AuthenticatorDeps {
  readonly identity: Config['identity']
  readonly store: Store
  readonly recorder: Recorder
  readonly log: Log
  /** Hears of every refusal, also of those that are too many to be on record each. */
  readonly onRefusal?: (reason: RefusalReason) => void
}

export async function createAuthenticator({
  identity,
  store,
  recorder,
  log,
  onRefusal = () => {},
}: AuthenticatorDeps): Promise<Authenticator> {
  const verifyJwt = createJwtVerifier(identity, log)
  const keys = await createKeyLookup(store)
  const verified = new Recent<Principal>(capacity)
  const recordRefusal = createRefusalRecord(recorder, log)

  async function verify(token: string, hash: string): Promise<Principal> {
    const principal = await verifyJwt(token)
    const now = Date.now()
    verified.set(hash, principal, Math.min(principal.credential.expiresAt!, now + reverify))
    return principal
  }

  function find(token: string): Principal | Promise<Principal> {
    if (token === '') throw new Refusal('missing')
    if (token.startsWith(keyPrefix)) return keys.find(token)
    const hash = tokenHash(token)
    return verified.get(hash, Date.now()) ?? verify(token, hash)
  }

  function refused(token: string, error: unknown): unknown {
    if (error instanceof Refusal) {
      onRefusal(error.reason)
      recordRefusal(error, token)
    }
    if (!(error instanceof StoreError)) return error
    // A key that cannot be looked up may have been revoked. Closed.
    return new Problem(
      'store-unavailable',
      'Agent keys cannot be looked up, because the store does not answer.',
      {},
      { cause: error },
    )
  }

  return {
    authenticate(token) {
      try {
        const principal = find(token)
        if (!(principal instanceof Promise)) return principal
        return principal.catch((error: unknown) => {
          throw refused(token, error)
        })
      } catch (error) {
        throw refused(token, error)
      }
    },
    close: () => keys.close(),
  }
}
