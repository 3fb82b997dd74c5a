import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import pg from 'pg'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { randomFrom } from '../support/random.ts'
import { atEnd, createTestDatabase } from '../support/store.ts'
import { startUnsteadyUpstream, type UnsteadyUpstream } from './unsteady-upstream.ts'

/** Two gateways on one store, an API and a database behind both of them, and chance. */
export interface World {
  readonly folder: string
  readonly store: PostgresServer
  readonly upstream: UnsteadyUpstream
  /** The database behind the gateways, around them. */
  readonly direct: pg.Client
  readonly database: string
  readonly replicas: [GatewayProcess, GatewayProcess]
  start(): Promise<GatewayProcess>
  /** One of the replicas, whatever state it is in. */
  any(): GatewayProcess
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** Some milliseconds, at random. */
  pause(least: number, most: number): Promise<void>
  /** Puts the rule in force that denies what is `/v1/toggled`, or the one that holds it. */
  writeToggle(denies: boolean): void
}

const rules = `
rules:
  - name: agents-note
    who: { group: agents }
    on: crm
    what: { http: { method: POST, path: /v1/notes } }
    then: allow
  - name: refunds-need-a-support-lead
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
  - name: exports-need-two-owners
    on: crm
    what: { http: { method: POST, path: /v1/exports } }
    then: hold
    approval: { from: { group: data-owners }, quorum: 2 }
  - name: urgent-ones-do-not-wait-long
    on: crm
    what: { http: { method: POST, path: /v1/urgent } }
    then: hold
    approval: { from: { group: support-leads }, expires: 2s }
  - name: inserts-need-a-support-lead
    on: orders
    what: { sql: { verb: [insert] } }
    then: hold
    approval: { from: { group: support-leads } }
`

const toggled = (verdict: string) => `
rules:
  - name: sometimes
    on: crm
    what: { http: { method: POST, path: /v1/toggled } }
    ${verdict}
`
const holds = 'then: hold\n    approval: { from: { group: support-leads } }'
const denies = 'then: deny\n    reason: NOT_NOW'

export async function startWorld(seed: number): Promise<World> {
  const random = randomFrom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const store = await PostgresServer.start(['max_connections=100'])
  atEnd(() => store.remove())
  const upstream = await startUnsteadyUpstream(random)
  atEnd(() => upstream.close())
  const behind = new URL(await createTestDatabase())
  const database = behind.pathname.slice(1)
  const direct = new pg.Client({ connectionString: behind.href })
  await direct.connect()
  atEnd(() => direct.end())
  await direct.query('CREATE TABLE ran (word text, salt text)')
  const { folder, start } = await configureGateway({
    upstream: upstream.url,
    policies: { 'rules.yaml': rules, 'toggled.yaml': toggled(holds) },
    databaseUrl: await store.createDatabase('sallyport'),
    config: `hold: { max_per_subject: 1000, max_per_hour: 100000, on_disconnect: ${pick(['detach', 'cancel'])} }`,
    resources: `  - name: orders
    protocol: postgres
    listen: 127.0.0.1:0
    trusted: true
    wait: 5s
    upstream: { host: ${behind.hostname}, port: ${behind.port}, tls: disable, databases: [${database}] }
    credential: { user: owner, password: never-seen-by-agents }
`,
  })
  // One after the other: the first one makes the schema.
  const replicas: World['replicas'] = [await start(), await start()]
  return {
    folder,
    store,
    upstream,
    direct,
    database,
    replicas,
    start,
    any: () => pick(replicas),
    chance: (probability) => random() < probability,
    pick,
    pause: (least, most) => later(least + random() * (most - least)),
    writeToggle: (no) =>
      writeFileSync(join(folder, 'policies', 'toggled.yaml'), toggled(no ? denies : holds)),
  }
}

/** The port for its database, which it says when it has started; one where nobody is before that. */
export function databasePort(gateway: GatewayProcess): number {
  return Number(/"databases":\{"orders":(\d+)\}/.exec(gateway.output())?.[1] ?? 9)
}
