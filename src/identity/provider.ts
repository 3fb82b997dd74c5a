import {
  allowInsecureRequests,
  discovery,
  None,
  type ClientAuth,
  type Configuration,
  type CustomFetch,
  customFetch,
} from 'openid-client'
import { isLoopback } from '../core/loopback.ts'

/** The longest that we wait for an identity provider's answer, in seconds. */
const patience = 5

export interface ProviderClient {
  readonly id: string
  readonly authentication?: ClientAuth
  readonly fetch?: CustomFetch
}

/**
 * Reads an issuer's discovery document (OpenID Connect Discovery 1.0, §4). Rejects when it cannot
 * be read, and when the issuer in it is not exactly the configured one: an identity is a pair of
 * issuer and subject, so an issuer that only looks alike is a different one.
 */
export async function discoverProvider(
  issuer: string,
  client: ProviderClient,
): Promise<Configuration> {
  const configuration = await discovery(
    new URL(issuer),
    client.id,
    undefined,
    client.authentication ?? None(),
    {
      timeout: patience,
      execute: isLoopback(issuer) ? [allowInsecureRequests] : [],
      ...(client.fetch && { [customFetch]: client.fetch }),
    },
  )
  const said = configuration.serverMetadata().issuer
  if (said !== issuer) {
    throw new Error(
      `the discovery document of ${issuer} is for the issuer ${said}: configure exactly that, or another provider`,
    )
  }
  return configuration
}
