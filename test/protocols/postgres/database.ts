import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { createTestDatabase } from '../../support/store.ts'
import { int32, message } from '../../../src/protocols/postgres/wire/messages.ts'
import { startTestGateway, type TestGateway } from '../../support/gateway.ts'

/** A database with customers and orders behind a whole gateway; the test's own connection to it, around the gateway. */
export interface DatabaseGateway {
  readonly gateway: TestGateway
  readonly port: number
  readonly database: string
  /** Straight to the database, as its owner. */
  readonly direct: pg.Client
  /** How a client connects: as the agent, unless the claims say otherwise. */
  config(claims?: Record<string, unknown>): Promise<pg.ClientConfig>
  /** A client of the agent's, connected. It is closed at the end of the test. */
  connect(claims?: Record<string, unknown>): Promise<pg.Client>
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** The rules, in YAML, for the resource `orders`. */
  readonly policies: string
  /** More keys of the resource, one a line. */
  readonly resource?: string
  /** More lines of the configuration, at its top level. */
  readonly config?: string
  /** More keys of `identity`, one a line. */
  readonly identity?: string
  /** Another address of the database. */
  readonly upstream?: { readonly host: string; readonly port: number; readonly tls?: string }
  readonly credential?: { readonly user: string; readonly password: string }
}

export const hasPostgres = inject('postgres') !== null

const schema = `
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric);
  INSERT INTO customers SELECT i, 'customer ' || i, i || '@example.com' FROM generate_series(1, 50) i;
  INSERT INTO orders SELECT i, 1 + i % 50, i * 1.5 FROM generate_series(1, 200) i;
`

export async function startDatabase(options: DatabaseOptions): Promise<DatabaseGateway> {
  const url = new URL(await createTestDatabase())
  const database = url.pathname.slice(1)
  const direct = new pg.Client({ connectionString: url.href })
  direct.on('error', () => undefined)
  await direct.connect()
  await direct.query(schema)
  const { upstream = { host: url.hostname, port: Number(url.port) }, credential } = options
  const { user, password } = credential ?? { user: 'owner', password: 'never-seen-by-agents' }
  const gateway = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    policies: { 'rules.yaml': options.policies },
    ...(options.config !== undefined && { config: options.config }),
    ...(options.identity !== undefined && { identity: options.identity }),
    resources: `  - name: orders
    protocol: postgres
    listen: 127.0.0.1:0
    ${options.resource?.includes('tls:') ? '' : 'trusted: true'}
    upstream: { host: ${upstream.host}, port: ${upstream.port}, tls: ${upstream.tls ?? 'disable'}, databases: [${database}] }
    credential: { user: ${user}, password: ${password} }
    ${options.resource ?? ''}
`,
  })
  const port = () => gateway.databasePorts['orders']!

  async function config(claims: Record<string, unknown> = {}): Promise<pg.ClientConfig> {
    const password = await gateway.agentToken(claims)
    return { host: '127.0.0.1', port: port(), database, user: 'agent', password }
  }

  return {
    gateway,
    get port() {
      return port()
    },
    database,
    direct,
    config,
    async connect(claims) {
      const client = new pg.Client(await config(claims))
      client.on('error', () => undefined)
      await client.connect()
      onTestFinished(() => client.end().catch(() => undefined))
      return client
    },
    async close() {
      await direct.end()
      await gateway.close()
    },
  }
}

/** What a query fails with. */
export async function failureOf(query: Promise<unknown>): Promise<pg.DatabaseError> {
  try {
    await query
  } catch (error) {
    return error as pg.DatabaseError
  }
  throw new Error('it did not fail')
}

/** Sends a cancel request, as the client's driver would, and waits for its end. */
export async function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const socket = connect(client.port, '127.0.0.1')
  socket.write(message('', int32(80_877_102), int32(processID), int32(secretKey)))
  await once(socket, 'close')
}
