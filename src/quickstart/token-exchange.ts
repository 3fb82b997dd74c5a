import { createLocalJWKSet, importJWK, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import { claimsOfAgent, demoAgents } from './demo-people.ts'
import { audience, tokenLifetime } from './identity-provider-config.ts'
import type { ProviderState } from './identity-provider-state.ts'

type Mint = (claims: JWTPayload) => Promise<string>

/** Signs an access token (RFC 9068) of the demo identity provider. */
export function createMint(issuer: string, { key }: ProviderState): Mint {
  return async (claims) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${tokenLifetime}s`)
      .setJti(crypto.randomUUID())
      .sign(await importJWK(key, 'ES256'))
}

/**
 * The token exchange grant (RFC 8693) for agents: for a person's token an agent gets one in which
 * it acts for that person. Exchanged again by another agent, the chain gets longer.
 */
export function addTokenExchange(provider: Provider, state: ProviderState, mint: Mint): void {
  const { kty, crv, x, y, kid, alg } = state.key
  const keys = createLocalJWKSet({ keys: [{ kty, crv, x, y, kid, alg }] })

  async function exchange(ctx: TokenEndpointGrantContext<{ subject_token?: string }>) {
    const { params, client } = ctx.oidc
    const { payload } = await jwtVerify(params.subject_token ?? '', keys, {
      issuer: provider.issuer,
      audience,
    }).catch((cause: unknown) => {
      throw Object.assign(new errors.InvalidRequest('subject_token is not a token of mine'), {
        cause,
      })
    })
    const agent = demoAgents.find(({ id }) => id === client.clientId)
    if (!agent) throw new errors.InvalidClient('only agents exchange tokens')
    ctx.body = {
      access_token: await mint({
        sub: payload.sub,
        client_id: agent.id,
        ...claimsOfAgent(agent),
        act: { sub: agent.id, ...(payload['act'] !== undefined && { act: payload['act'] }) },
      }),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: tokenLifetime,
    }
  }

  provider.registerGrantType('urn:ietf:params:oauth:grant-type:token-exchange', exchange, [
    'subject_token',
    'subject_token_type',
  ])
}
