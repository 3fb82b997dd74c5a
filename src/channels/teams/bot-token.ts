import {
  allowInsecureRequests,
  clientCredentialsGrant,
  ClientSecretPost,
  Configuration,
} from 'openid-client'
import type { TeamsConfig } from '../../config/schema.ts'
import { isLoopback } from '../../core/loopback.ts'
import type { Cloud } from './clouds.ts'

/** The longest that we wait for Entra's answer, in seconds. */
const patience = 10
/** How long before it expires a token is replaced, in milliseconds. */
const margin = 5 * 60_000

/**
 * Gets the access token with which the bot calls Bot Framework: from its own tenant (client
 * credentials, RFC 6749 §4.4), and kept until shortly before it expires. Rejects with the errors of
 * openid-client.
 */
export function createBotToken(
  { tenant, app_id, client_secret }: TeamsConfig,
  { environment }: Cloud,
): () => Promise<string> {
  const { loginEndpoint, botScope } = environment
  const entra = new Configuration(
    {
      issuer: `${loginEndpoint}/${tenant}/v2.0`,
      token_endpoint: `${loginEndpoint}/${tenant}/oauth2/v2.0/token`,
    },
    app_id,
    undefined,
    ClientSecretPost(client_secret),
  )
  entra.timeout = patience
  if (isLoopback(loginEndpoint)) allowInsecureRequests(entra)
  // Owned by the function below: the token, when to ask for another one, and who is asking.
  let known: { readonly token: string; readonly until: number } | undefined
  let asking: Promise<string> | undefined

  async function ask(): Promise<string> {
    const answer = await clientCredentialsGrant(entra, { scope: botScope })
    const lifetime = (answer.expiresIn() ?? 0) * 1000
    known = { token: answer.access_token, until: performance.now() + lifetime - margin }
    return known.token
  }

  return async () => {
    if (known && performance.now() < known.until) return known.token
    asking ??= ask().finally(() => (asking = undefined))
    return asking
  }
}
