import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type CompactVerifyGetKey,
  type RemoteJWKSet,
} from 'jose'
import { isLoopback } from '../core/loopback.ts'
import type { Log } from '../telemetry/log.ts'
import { discoverProvider } from './provider.ts'

/** The issuer did not provide its keys, or not in a usable form. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable'
}

/** All in milliseconds. */
export interface KeyTiming {
  /** The age at which keys are fetched again, and so the longest that a withdrawn key works. */
  readonly refresh: number
  /** How long keys are kept that cannot be fetched again because the issuer is down. */
  readonly stale: number
  /** Between two tries to fetch such keys. */
  readonly retry: number
  /**
   * Between two requests for an unknown key, and after one that failed. Limits what a stranger can
   * make us ask.
   */
  readonly coolDown: number
}

const usual: KeyTiming = {
  refresh: 5 * 60_000,
  stale: 24 * 3_600_000,
  retry: 30_000,
  coolDown: 1_000,
}

type Fetch = (url: string, init: object) => Promise<Response>

/** The location of an issuer's keys, from its discovery document. */
async function discovered(issuer: string, fetch: Fetch): Promise<string> {
  const provider = await discoverProvider(issuer, { id: 'sallyport', fetch })
  const location = provider.serverMetadata().jwks_uri
  if (!location) throw new Error('its discovery document has no jwks_uri')
  return location
}

/**
 * The public keys of one issuer, at the place that `locate` returns. Fetched when first needed,
 * then every few minutes, and at once when a token names an unknown key (after a rotation). Rejects
 * with `IssuerUnavailable`, or with jose's error about the key.
 */
export function issuerKeys(
  issuer: string,
  log: Log,
  timing: KeyTiming = usual,
  locate: (issuer: string, fetch: Fetch) => Promise<string> = discovered,
): CompactVerifyGetKey {
  // All owned by load(), and replaced together once a complete new set has arrived.
  let keys: RemoteJWKSet | undefined
  let loadedAt = -Infinity
  let triedAt = -Infinity
  let loading: Promise<void> | undefined
  // Owned by fetchGently().
  let failedAt = -Infinity

  /** Fetches, but spares an issuer that has just failed. */
  async function fetchGently(url: string, init: object): Promise<Response> {
    if (performance.now() - failedAt < timing.coolDown) {
      throw new IssuerUnavailable(`${issuer} did not answer a moment ago`)
    }
    try {
      const response = await fetch(url, init)
      if (!response.ok) throw new Error(`${url} answered ${response.status}`)
      return response
    } catch (cause) {
      failedAt = performance.now()
      throw new IssuerUnavailable(`${issuer} does not answer`, { cause })
    }
  }

  async function load(): Promise<void> {
    const location = await locate(issuer, fetchGently)
    if (!location.startsWith('https:') && !isLoopback(location)) {
      throw new Error('its keys are served without TLS')
    }
    const fresh = createRemoteJWKSet(new URL(location), {
      cacheMaxAge: Infinity,
      cooldownDuration: timing.coolDown,
      [customFetch]: fetchGently,
    })
    await fresh.reload()
    keys = fresh
    loadedAt = performance.now()
  }

  function startLoading(): Promise<void> {
    triedAt = performance.now()
    loading ??= load()
      .catch((cause: unknown) => {
        log.warn({ issuer, err: cause }, 'the keys of this issuer cannot be fetched')
        throw cause instanceof IssuerUnavailable
          ? cause
          : new IssuerUnavailable(`the keys of ${issuer} cannot be fetched`, { cause })
      })
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  async function currentKeys(): Promise<RemoteJWKSet> {
    const now = performance.now()
    const age = now - loadedAt
    if (keys && age < timing.refresh) return keys
    if (!keys || age >= timing.stale) {
      await startLoading()
    } else if (now - triedAt >= timing.retry) {
      // Awaited, so that a withdrawn key ends here. A failure is logged already, and the keys in
      // use stay in use: an identity provider that is down for an hour must not stop everything
      // that it has vouched for.
      await startLoading().catch(() => undefined)
    }
    return keys!
  }

  return async (header, token) => {
    const set = await currentKeys()
    try {
      return await set(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      // While it looks for a new key, jose can meet any answer of the issuer.
      throw new IssuerUnavailable(`the keys of ${issuer} cannot be used`, { cause: error })
    }
  }
}

function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
