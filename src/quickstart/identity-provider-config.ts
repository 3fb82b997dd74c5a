import {
  interactionPolicy,
  type Configuration,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider'
import { claimsOfAgent, claimsOfPerson, demoAgents, demoPeople } from './demo-people.ts'
import { inMemory } from './identity-provider-memory.ts'
import {
  codePage,
  confirmPage,
  donePage,
  errorPage,
  logoutPage,
} from './identity-provider-pages.ts'
import type { ProviderState } from './identity-provider-state.ts'

export const consoleClient = 'sallyport-console'
export const cliClient = 'sallyport-cli'
export const audience = 'sallyport'

/** Every token of the demo is for this one resource (RFC 8707), also when nobody asks for it. */
const resource = 'urn:sallyport'
const scopes = 'openid profile email offline_access'
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Seconds. Long, so that what `npm start` prints can be pasted all day. */
export const tokenLifetime = 8 * 3600

export function providerConfiguration(state: ProviderState): Configuration {
  return {
    adapter: inMemory(),
    jwks: { keys: [state.key] },
    cookies: { keys: [state.cookieKey] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: clientsOf(state),
    // Everything about the person is in the ID token, so that one look at it shows what the gateway
    // goes by.
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub', 'groups'],
      profile: ['name', 'preferred_username'],
      email: ['email'],
    },
    scopes: scopes.split(' '),
    ttl: {
      AccessToken: tokenLifetime,
      ClientCredentials: tokenLifetime,
      IdToken: 3600,
      Session: 24 * 3600,
      Grant: 24 * 3600,
      Interaction: 3600,
      RefreshToken: 24 * 3600,
      DeviceCode: 600,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: deviceFlow,
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => html(ctx, logoutPage(form)),
        postLogoutSuccessSource: (ctx) => html(ctx, donePage()),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resourceServer,
      },
    },
    interactions: { policy: loginOnly(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    clientBasedCORS: () => false,
    renderError: (ctx, { error, error_description }) =>
      html(ctx, errorPage(error, error_description)),
    findAccount(_ctx, id) {
      const person = demoPeople.find((one) => one.id === id)
      return person && { accountId: id, claims: () => ({ sub: id, ...claimsOfPerson(person) }) }
    },
    extraTokenClaims(_ctx, token) {
      const agent = demoAgents.find(({ id }) => id === token.clientId)
      if (token.kind === 'ClientCredentials') return agent && claimsOfAgent(agent)
      const person = demoPeople.find(({ id }) => id === token.accountId)
      return person && claimsOfPerson(person)
    },
    async loadExistingGrant({ oidc }) {
      const { client, session, provider } = oidc
      const grant = new provider.Grant({
        clientId: client!.clientId,
        accountId: session!.accountId!,
      })
      grant.addOIDCScope(scopes)
      grant.addResourceScope(resource, '')
      await grant.save()
      return grant
    },
  }
}

/**
 * People are not asked whether the console may know who they are: both belong to the same company.
 */
function loginOnly(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  return policy
}

const resourceServer: ResourceServer = {
  audience,
  scope: '',
  accessTokenFormat: 'jwt',
  accessTokenTTL: tokenLifetime,
  jwt: { sign: { alg: 'ES256' } },
}

const deviceFlow = {
  enabled: true,
  userCodeInputSource: (ctx: KoaContextWithOIDC, form: string, _out: unknown, mistake: unknown) =>
    html(ctx, codePage(form, mistake ? 'That code is not known here. Try again.' : undefined)),
  userCodeConfirmSource: (
    ctx: KoaContextWithOIDC,
    form: string,
    _client: unknown,
    _device: unknown,
    code: string,
  ) => html(ctx, confirmPage(form, code)),
  successSource: (ctx: KoaContextWithOIDC) => html(ctx, donePage()),
} as const

function clientsOf(state: ProviderState): Configuration['clients'] {
  const hosts = ['http://127.0.0.1', 'http://localhost']
  const agents = demoAgents.map(({ id }) => ({
    client_id: id,
    client_secret: agentSecret(state, id),
    grant_types: ['client_credentials', tokenExchange],
    redirect_uris: [],
    response_types: [],
  }))
  return [
    {
      client_id: consoleClient,
      client_name: 'Sallyport console',
      client_secret: state.consoleSecret,
      // At any port of this machine (RFC 8252, §7.3).
      application_type: 'native',
      redirect_uris: hosts.map((host) => `${host}/login/callback`),
      post_logout_redirect_uris: hosts.map((host) => `${host}/`),
    },
    {
      client_id: cliClient,
      client_name: 'Sallyport CLI',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      redirect_uris: [],
      response_types: [],
    },
    ...agents,
  ]
}

export function agentSecret({ agentSecret: secret }: ProviderState, id: string): string {
  return `${id}-${secret}`
}

function html(ctx: KoaContextWithOIDC, page: string): void {
  ctx.type = 'html'
  ctx.body = page
}
