import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keyring } from '../../src/config/keyring.ts'
import { configSchema, type Config, type TlsConfig } from '../../src/config/schema.ts'
import type { ControlServer } from '../../src/console/context.ts'
import { createControlServer } from '../../src/console/server.ts'
import type { EventInput } from '../../src/core/event.ts'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import type { Recorder } from '../../src/identity/recorder.ts'
import {
  startIdentityProvider,
  type DemoIdentityProvider,
} from '../../src/quickstart/identity-provider.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Browser } from './browser.ts'
import { openTestStore } from './store.ts'

/** A control plane, with the demo identity provider before it, and a store of its own behind it. */
export interface TestControlPlane {
  readonly url: string
  readonly server: ControlServer
  readonly idp: DemoIdentityProvider
  readonly identity: Config['identity']
  readonly store: Store
  /** What went on record, in order. */
  readonly events: EventInput[]
  /** What was logged. */
  readonly logged: string[]
  /** A browser in which this demo person has logged in. */
  logIn(person: string): Promise<Browser>
  /** GET, as the console does it. */
  get(browser: Browser, path: string): Promise<Response>
  /** POST, as the console does it: from its own page, with the token of the session. */
  post(browser: Browser, path: string, body?: object): Promise<Response>
  close(): Promise<void>
}

export async function startControlPlane(
  options: { publicUrl?: string; pages?: string; tls?: TlsConfig } = {},
): Promise<TestControlPlane> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-idp-'))
  const logged: string[] = []
  const log = createLog('debug', { write: (line) => void logged.push(line) })
  const idp = await startIdentityProvider({ port: 0, dataDir, log })
  const identity = demoIdentity(idp)
  const store = await openTestStore()
  const { recorder, events } = collectEvents()
  const authenticator = await createAuthenticator({ identity, store, recorder, log })
  const server = await createControlServer({
    identity,
    publicUrl: options.publicUrl,
    tls: options.tls,
    cookieKeys: new Keyring([{ key: Buffer.alloc(32, 7), madeAt: new Date(0) }]),
    csrfKey: Buffer.alloc(32, 7),
    store,
    authenticator,
    recorder,
    govern: async () => null,
    log,
    obstacle: async () => null,
    pages: options.pages ?? null,
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`

  return {
    url,
    server,
    idp,
    identity,
    store,
    events,
    logged,
    async logIn(person) {
      const browser = new Browser()
      await logIn(browser, url, person)
      return browser
    },
    get: (browser, path) => browser.fetch(`${url}${path}`),
    async post(browser, path, body = {}) {
      const me = (await (await browser.fetch(`${url}/api/me`)).json()) as { csrf_token: string }
      return browser.fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-csrf-token': me.csrf_token,
          origin: url,
        },
        body: JSON.stringify(body),
      })
    },
    async close() {
      await server.close()
      await authenticator.close()
      await idp.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

/** Clicks "log in", and then the person. */
export async function logIn(browser: Browser, url: string, person: string) {
  const page = await browser.open(`${url}/login`)
  return browser.submit(page, { person })
}

/** The configuration of the quickstart, as far as identity goes. */
function demoIdentity(idp: DemoIdentityProvider): Config['identity'] {
  return configSchema.shape.identity.parse({
    issuers: [
      {
        issuer: idp.issuer,
        audience: idp.audience,
        claims: { groups: 'groups', owner: 'agent_owner', kind: 'kind' },
      },
    ],
    login: {
      issuer: idp.issuer,
      client_id: idp.console.clientId,
      client_secret: idp.console.clientSecret,
      cli_client_id: idp.cli.clientId,
    },
    roles: {
      approver: { group: 'approvers' },
      auditor: { group: 'audit' },
      admin: { group: 'platform' },
    },
  })
}

/** Keeps the events where a test can look at them. */
export function collectEvents(): { recorder: Recorder; events: EventInput[] } {
  const events: EventInput[] = []
  const keep = async (event: EventInput) => void events.push(event)
  const recorder = {
    append: keep,
    write: (_tx: unknown, event: EventInput) => keep(event),
    linkWritten() {},
  }
  return { recorder, events }
}
