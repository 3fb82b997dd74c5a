import type { CompactVerifyGetKey } from 'jose'
import type { TransmitterConfig } from '../config/schema.ts'
import type { Log } from '../telemetry/log.ts'
import { claim, type Claims } from './claims.ts'
import { issuerKeys } from './issuer-keys.ts'

/**
 * The public keys of a transmitter of security events: from the address in the configuration, or
 * else from the one in its own metadata (Shared Signals Framework 1.0, §7).
 */
export function transmitterKeys(
  { issuer, jwks_uri }: TransmitterConfig,
  log: Log,
): CompactVerifyGetKey {
  return issuerKeys(issuer, log, undefined, async (_issuer, fetch) => {
    if (jwks_uri !== undefined) return jwks_uri
    const response = await fetch(metadataUrl(issuer), {})
    const metadata = (await response.json()) as Claims
    // As with identity providers: one that only looks alike is a different one.
    if (claim(metadata, 'issuer') !== issuer) throw new Error('its metadata is of another issuer')
    const location = claim(metadata, 'jwks_uri')
    if (typeof location !== 'string') throw new Error('its metadata has no jwks_uri')
    return location
  })
}

/** The well-known part comes between host and path (§7.2). */
function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/ssf-configuration${pathname === '/' ? '' : pathname}`
}
