import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresServer } from '../../test/support/postgres.ts'
import { startTokenIssuer } from '../../test/support/token-issuer.ts'
import type { Certificate } from './certificate.ts'
import { freePort, startOn, stop } from './process.ts'

export interface GatewayUnderTest {
  readonly url: string
  readonly pid: number
  /** Where the database is; 0 without one. */
  readonly databasePort: number
  /** Of an agent that the policies allow everything that is measured. */
  readonly token: string
  /** The same, of another agent. */
  tokenOf(agent: string): Promise<string>
  stop(): Promise<void>
}

interface Options {
  readonly core: number
  readonly upstream: string
  /** Rules in force besides those that allow what is measured. */
  readonly rules: number
  /** A PostgreSQL on loopback that lets `postgres` in. */
  readonly database?: { readonly port: number; readonly name: string }
  /** Of the database and of the gateway: TLS on both sides of it. */
  readonly tls?: Certificate | null
  /** Arguments of Node, such as `--cpu-prof`. */
  readonly node?: readonly string[]
}

/** The gateway as it is run in production: a process of its own, PostgreSQL with fsync, tokens of an issuer, policies in files. */
export async function startGatewayUnderTest({
  core,
  upstream,
  rules,
  database,
  tls = null,
  node = [],
}: Options): Promise<GatewayUnderTest> {
  const postgres = await PostgresServer.start(['shared_buffers=128MB', 'max_wal_size=4GB'])
  const issuer = await startTokenIssuer()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies', 'bench.yaml'), policies(rules, database !== undefined))
  const agents = await freePort()
  const databasePort = database ? await freePort() : 0
  writeFileSync(
    join(folder, 'sallyport.yaml'),
    `listen:
  agents: { address: 127.0.0.1:${agents} }
  control: { address: 127.0.0.1:0 }
store: { url: '${await postgres.createDatabase('bench')}' }
identity:
  issuers: [{ issuer: ${issuer.issuer}, audience: sallyport, claims: { owner: agent_owner } }]
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: ${upstream}, read: [GET /v1/customers] }
${
  database
    ? `  - name: orders
    protocol: postgres
    listen: 127.0.0.1:${databasePort}
    ${tls ? `tls: { cert: ${tls.cert}, key: ${tls.key} }\n    ca: ${tls.cert}` : 'trusted: true'}
    max_connections: 2000
    max_connections_per_subject: 2000
    upstream: { host: 127.0.0.1, port: ${database.port}, tls: ${tls ? 'verify-full' : 'disable'}, databases: [${database.name}] }
    credential: { user: postgres, password: none }`
    : ''
}
policies: ./policies
hold: { max_per_subject: 2000, max_per_hour: 100000 }
log: { level: warn }
`,
  )
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
  const child = await startOn(
    core,
    [process.execPath, ...node, main, 'serve', '--config', join(folder, 'sallyport.yaml')],
    /agents +http/,
  )
  const exp = Math.floor(Date.now() / 1000) + 3600
  // Without an owner, nothing can be held.
  const tokenOf = (sub: string) =>
    issuer.mint({ sub, groups: ['agents'], agent_owner: 'priya', exp })
  return {
    url: `http://127.0.0.1:${agents}`,
    pid: child.pid,
    databasePort,
    token: await tokenOf('bench'),
    tokenOf,
    async stop() {
      await stop(child)
      await issuer.close()
      await postgres.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function policies(others: number, database: boolean): string {
  const rule = (name: string, path: string, group: string) =>
    `  - { name: ${name}, who: { group: ${group} }, on: crm, what: { http: { method: GET, path: ${path} } }, then: allow }\n`
  let text = `rules:\n${rule('measured', '/v1/**', 'agents')}`
  if (database)
    text += `  - { name: measured-sql, who: { group: agents }, on: orders, then: allow }
  - name: held-sql
    on: orders
    what: { sql: { verb: [delete] } }
    then: hold
    approval: { from: { group: leads }, expires: 1h }
`
  for (let index = 0; index < others; index++) {
    text += rule(`other-${index}`, `/v1/area-${index}/:id`, `group-${index}`)
  }
  return text
}
