import pg from 'pg'
import { inject } from 'vitest'
import { startTestGateway } from '../../../support/gateway.ts'

export const hasPostgres = inject('postgres') !== null

/** What a client is told, whether the database is there or the gateway. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

/** One database, and three ways to it. */
export interface Matrix {
  readonly direct: Address
  /** A second, empty database, to restore a dump into. */
  readonly empty: string
  /** Through the gateway, where policies allow everything. */
  open(): Promise<Address>
  /** Through the gateway, where the table `vault` is closed, and somebody has to approve what deletes customers. */
  ruled(): Promise<Address>
  /** Approves the next deletion, as Dana. Resolves with the text that she was shown. */
  approve(): Promise<unknown>
  customers(): Promise<number>
  close(): Promise<void>
}

const policies = `rules:
  - { name: everything, on: orders, who: { group: agents }, then: allow }
  - name: most-things
    on: ruled
    who: { group: agents }
    then: allow
  - name: the-vault-stays-closed
    on: ruled
    what: { sql: { tables: [vault] } }
    then: deny
  - name: deletions-need-a-lead
    on: ruled
    what: { sql: { verb: delete, tables: [customers] } }
    then: hold
    approval: { from: { group: support-leads } }
`

const schema = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text);
  CREATE TABLE vault (secret text);
  CREATE INDEX customers_email ON customers (email);
  CREATE VIEW named AS SELECT id, name FROM customers;
  CREATE SEQUENCE numbers;
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE FUNCTION shout(word text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE 'shouting %', word; RETURN upper(word); END $$;
  INSERT INTO customers SELECT i, 'customer ' || i, i || '@example.com' FROM generate_series(1, 50) i;
  INSERT INTO vault VALUES ('the combination');
`

const resource = (name: string, { hostname, port }: URL, databases: string) => `  - name: ${name}
    protocol: postgres
    listen: 127.0.0.1:0
    trusted: true
    wait: 60s
    upstream: { host: ${hostname}, port: ${port}, tls: disable, databases: [${databases}] }
    credential: { user: owner, password: never-seen-by-agents }
`

export async function startMatrix(): Promise<Matrix> {
  const url = await createDatabase()
  const database = url.pathname.slice(1)
  const empty = (await createDatabase()).pathname.slice(1)
  const owner = new pg.Client({ connectionString: url.href })
  await owner.connect()
  await owner.query(schema)
  // `postgres` is where programs go that make and drop databases and roles.
  const databases = `${database}, ${empty}, postgres`
  const gateway = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    policies: { 'rules.yaml': policies },
    resources: resource('orders', url, databases) + resource('ruled', url, databases),
  })
  const through = async (name: string): Promise<Address> => ({
    host: '127.0.0.1',
    port: gateway.databasePorts[name]!,
    database,
    user: 'owner',
    password: await gateway.agentToken(),
  })
  return {
    direct: {
      host: url.hostname,
      port: Number(url.port),
      database,
      user: 'owner',
      password: 'not asked for',
    },
    empty,
    open: () => through('orders'),
    ruled: () => through('ruled'),
    async approve() {
      const approval = await gateway.pending()
      await gateway.vote('dana', approval)
      return approval.action.payload['text']
    },
    async customers() {
      const { rows } = await owner.query<{ n: number }>('SELECT count(*)::int AS n FROM customers')
      return rows[0]!.n
    },
    async close() {
      await owner.end()
      await gateway.close()
    },
  }
}

/** Nothing in it, and owned by `owner`. */
async function createDatabase(): Promise<URL> {
  const url = new URL(inject('postgres')!.server)
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} OWNER owner`)
  await admin.end()
  url.username = 'owner'
  url.pathname = name
  return url
}

/** What a client says that went wrong, without where in its own source. */
export async function failure(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work
  } catch (error) {
    // Query builders wrap what the driver says.
    const { code, severity, message, detail, hint, position } = innermost(error)
    return { code, severity, message, detail, hint, position }
  }
  throw new Error('it did not fail')
}

function innermost(error: unknown): Partial<Record<string, unknown>> {
  const { driverError, cause } = error as { driverError?: unknown; cause?: unknown }
  const inner = driverError ?? cause
  return inner ? innermost(inner) : (error as Partial<Record<string, unknown>>)
}
