import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'
import type { Log } from '../telemetry/log.ts'
import { claimsOfPerson, demoAgents, demoPeople } from './demo-people.ts'
import {
  agentSecret,
  cliClient,
  consoleClient,
  providerConfiguration,
} from './identity-provider-config.ts'
import { contentSecurityPolicy, loginPage } from './identity-provider-pages.ts'
import { openProviderState } from './identity-provider-state.ts'
import { addTokenExchange, createMint } from './token-exchange.ts'

export interface DemoIdentityProvider {
  readonly issuer: string
  /** The `aud` of its access tokens. */
  readonly audience: string
  readonly console: { readonly clientId: string; readonly clientSecret: string }
  readonly cli: { readonly clientId: string }
  /**
   * Secrets of the agents, by client id: they get their tokens with the client credentials grant.
   */
  readonly agents: Readonly<Record<string, string>>
  /** The token that a demo person would get by logging in with the CLI. */
  personToken(id: string): Promise<string>
  /** A token of a demo agent, from the token endpoint. */
  agentToken(id: string): Promise<string>
  close(): Promise<void>
}

/**
 * A real OpenID provider on loopback, for trying out: everybody who can reach it can be anybody.
 * Its keys are kept in `dataDir`, so that tokens outlive a restart; logins do not. In a container
 * that publishes its port on the loopback of the host, it listens on another `host` and is
 * 127.0.0.1 all the same, for browsers and for the gateway in the same container.
 */
export async function startIdentityProvider({
  port,
  dataDir,
  log,
  host = '127.0.0.1',
  consoleSecret,
}: {
  port: number
  dataDir: string
  log: Log
  host?: string
  /** Of the console's client; made, and kept, if left out. */
  consoleSecret?: string
}): Promise<DemoIdentityProvider> {
  const kept = await openProviderState(dataDir)
  const state = { ...kept, consoleSecret: consoleSecret ?? kept.consoleSecret }
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const provider = new Provider(issuer, providerConfiguration(state))
  const mint = createMint(issuer, state)
  addTokenExchange(provider, state, mint)
  addLoginPage(provider)
  provider.on('server_error', (_ctx, error) =>
    log.error({ err: error }, 'the demo identity provider failed'),
  )
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))

  return {
    issuer,
    audience: 'sallyport',
    console: { clientId: consoleClient, clientSecret: state.consoleSecret },
    cli: { clientId: cliClient },
    agents: Object.fromEntries(demoAgents.map(({ id }) => [id, agentSecret(state, id)])),
    async personToken(id) {
      const person = demoPeople.find((one) => one.id === id)
      if (!person) throw new Error(`there is no demo person ${id}`)
      return mint({ sub: id, client_id: cliClient, ...claimsOfPerson(person) })
    },
    async agentToken(id) {
      const basic = Buffer.from(`${id}:${agentSecret(state, id)}`).toString('base64')
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      if (!response.ok) throw new Error(`no token for ${id}: ${await response.text()}`)
      return ((await response.json()) as { access_token: string }).access_token
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Shows the people to choose from, and takes the choice for a login. */
function addLoginPage(provider: Provider): void {
  provider.use(async (ctx, next) => {
    ctx.set('content-security-policy', contentSecurityPolicy)
    ctx.set('x-content-type-options', 'nosniff')
    ctx.set('referrer-policy', 'no-referrer')
    if (!ctx.path.startsWith('/interaction/')) return next()
    if (ctx.method === 'GET') {
      await provider.interactionDetails(ctx.req, ctx.res)
      ctx.type = 'html'
      ctx.body = loginPage(ctx.path, demoPeople)
      return undefined
    }
    const accountId = await chosenPerson(ctx.req)
    if (!demoPeople.some(({ id }) => id === accountId)) ctx.throw(400, 'Choose one of the people.')
    ctx.respond = false
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId } })
  })
}

async function chosenPerson(request: IncomingMessage): Promise<string> {
  return new URLSearchParams(await text(request)).get('person') ?? ''
}
