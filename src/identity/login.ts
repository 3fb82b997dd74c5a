import {
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type Configuration,
} from 'openid-client'
import type { LoginConfig } from '../config/schema.ts'
import type { Person } from '../core/person.ts'
import { claim, groupsOf, nameOf, type Claims } from './claims.ts'
import { personOfClaims } from './people.ts'
import { discoverProvider } from './provider.ts'
import { Refusal } from './refusal.ts'

/** What the browser that started a login has to return with. */
export interface LoginAttempt {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface Login {
  /**
   * Starts a login: resolves to where to send the browser, and what it has to keep. Rejects with
   * `provider-unavailable`.
   */
  start(redirectUri: string): Promise<{ url: URL; attempt: LoginAttempt }>
  /**
   * Finishes a login, and resolves to who it was. `callback` is the whole URL that the browser came
   * back with. Rejects with a `Refusal`.
   */
  finish(callback: URL, attempt: LoginAttempt): Promise<{ person: Person; idToken: string }>
  /**
   * Where the browser logs out at the identity provider; `null` if that has no such endpoint
   * (OpenID Connect RP-Initiated Logout 1.0).
   */
  endSessionUrl(idToken: string, returnTo: string): Promise<URL | null>
}

/**
 * Logging in with OpenID Connect: authorization code flow with PKCE (RFC 7636), state and nonce.
 */
export function createLogin(config: LoginConfig): Login {
  // Owned by provider(): one discovery, kept once it has worked.
  let discovered: Promise<Configuration> | undefined

  function provider(): Promise<Configuration> {
    discovered ??= discover(config).catch((cause: unknown) => {
      discovered = undefined
      throw new Refusal('provider-unavailable', { cause })
    })
    return discovered
  }

  return {
    async start(redirectUri) {
      const client = await provider()
      const attempt = {
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
      }
      const url = buildAuthorizationUrl(client, {
        redirect_uri: redirectUri,
        scope: config.scopes,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
      })
      return { url, attempt }
    },

    async finish(callback, attempt) {
      const client = await provider()
      try {
        return await exchange(client, callback, attempt, config)
      } catch (cause) {
        if (cause instanceof Refusal) throw cause
        const denied = cause instanceof AuthorizationResponseError
        throw new Refusal(denied ? 'login-denied' : 'login-failed', { cause })
      }
    },

    async endSessionUrl(idToken, returnTo) {
      const client = await provider()
      if (!client.serverMetadata().end_session_endpoint) return null
      return buildEndSessionUrl(client, {
        id_token_hint: idToken,
        post_logout_redirect_uri: returnTo,
      })
    },
  }
}

async function discover({ issuer, client_id, client_secret }: LoginConfig): Promise<Configuration> {
  const client = await discoverProvider(issuer, {
    id: client_id,
    // What every provider has to support (RFC 6749, §2.3.1).
    authentication: client_secret ? ClientSecretBasic(client_secret) : None(),
  })
  // The ID token comes straight from the provider, and its signature is checked all the same.
  enableNonRepudiationChecks(client)
  return client
}

async function exchange(
  client: Configuration,
  callback: URL,
  { state, nonce, verifier }: LoginAttempt,
  { issuer, groups_claim }: LoginConfig,
): Promise<{ person: Person; idToken: string }> {
  const tokens = await authorizationCodeGrant(client, callback, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  const idToken: Claims = tokens.claims()!
  const subject = nameOf(idToken['sub'], 'sub')
  // Some providers put little into the ID token, and tell the rest only at the userinfo endpoint.
  const thin =
    claim(idToken, groups_claim) === undefined && client.serverMetadata().userinfo_endpoint
  const claims = thin
    ? { ...idToken, ...(await fetchUserInfo(client, tokens.access_token, subject)) }
    : idToken
  const person = personOfClaims({ issuer, subject }, claims, groupsOf(claims, groups_claim))
  return { person, idToken: tokens.id_token! }
}
