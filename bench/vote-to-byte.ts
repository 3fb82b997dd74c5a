/**
 * From the vote on one replica to the first byte at the upstream, which waits on another one; and, beside it, with both on the same replica. Of requests over HTTP, and of
 * statements.
 *
 *     node bench/vote-to-byte.ts [--votes 200]
 *
 * Two gateways, each a process of its own, on one PostgreSQL with fsync. The clock starts when the vote is sent and stops when the upstream has the request, or the statement is on its way into the database, so the vote's own
 * way and its transaction are in it. The first tenth is for warming up, and does not count.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { gatewayClient } from '../test/support/gateway-client.ts'
import { PostgresServer } from '../test/support/postgres.ts'
import { startTokenIssuer } from '../test/support/token-issuer.ts'
import { freePort, startOn, stop } from './support/process.ts'

const { values } = parseArgs({ options: { votes: { type: 'string', default: '200' } } })
const votes = Number(values.votes)

const arrived = new Map<string, (at: number) => void>()
const upstream = createServer((request, response) => {
  arrived.get(request.url!)?.(performance.now())
  response.end('{}')
}).listen(0, '127.0.0.1')
await once(upstream, 'listening')
const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`

const postgres = await PostgresServer.start(['shared_buffers=128MB'])
const statements = new URL(await postgres.createDatabase('statements'))
/** Passes on what the gateways say to the database, and looks for statements in it. */
const road = createTcpServer({ noDelay: true }, (from) => {
  const there = connect({ host: '127.0.0.1', port: Number(statements.port), noDelay: true })
  for (const socket of [from, there]) socket.on('error', () => socket.destroy())
  from.on('close', () => there.destroy())
  there.on('close', () => from.destroy())
  from.on('data', (bytes: Buffer) => {
    const text = /DELETE FROM \S+ WHERE id = \d+/.exec(bytes.toString('latin1'))
    if (text) arrived.get(text[0])?.(performance.now())
  })
  from.pipe(there)
  there.pipe(from)
}).listen(0, '127.0.0.1')
await once(road, 'listening')
const { port: roadPort } = road.address() as AddressInfo
const issuer = await startTokenIssuer()
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
mkdirSync(join(folder, 'policies'))
writeFileSync(
  join(folder, 'policies', 'bench.yaml'),
  `rules:
  - { name: held, on: crm, then: hold, approval: { from: { group: support-leads } } }
  - name: held-sql
    on: orders
    what: { sql: { verb: [delete] } }
    then: hold
    approval: { from: { group: support-leads } }
`,
)
const database = await postgres.createDatabase('bench')

async function startReplica(core: number) {
  const [agents, control, sql] = [await freePort(), await freePort(), await freePort()]
  const file = join(folder, `replica-${core}.yaml`)
  writeFileSync(
    file,
    `listen:
  agents: { address: 127.0.0.1:${agents} }
  control: { address: 127.0.0.1:${control} }
store: { url: '${database}' }
identity:
  issuers:
    - { issuer: ${issuer.issuer}, audience: sallyport, claims: { owner: agent_owner, kind: kind } }
  login: { issuer: ${issuer.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers } }
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: ${upstreamUrl} }
  - name: orders
    protocol: postgres
    listen: 127.0.0.1:${sql}
    trusted: true
    upstream: { host: 127.0.0.1, port: ${roadPort}, tls: disable, databases: [statements] }
    credential: { user: postgres, password: none }
policies: ./policies
hold: { max_per_hour: 100000 }
log: { level: warn }
`,
  )
  const main = new URL('../src/cli/main.ts', import.meta.url).pathname
  const command = [process.execPath, main, 'serve', '--config', file]
  const child = await startOn(core, command, /agents +http/)
  const addresses = {
    agentsUrl: `http://127.0.0.1:${agents}`,
    controlUrl: `http://127.0.0.1:${control}`,
  }
  return { ...gatewayClient(issuer, () => addresses), ...addresses, sql, child }
}

const [here, there] = [await startReplica(0), await startReplica(1)]

// One token, as the CLI has it: what is measured is the gateway.
const dana = await here.personToken('dana')

type Replica = typeof here

/** Sends something that is held, and resolves when it has been answered; or what ends that for good. */
interface Asking {
  ask(what: string): Promise<unknown>
  close(): Promise<void>
}

const overHttp = (waitsAt: Replica): Asking => ({
  ask: async (path) => {
    const init = { method: 'POST', headers: { prefer: 'wait=60' } }
    return (await waitsAt.agent(`/crm${path}`, init)).text()
  },
  close: async () => {},
})

async function inSql({ sql, agentToken }: Replica): Promise<Asking> {
  const password = await agentToken({ exp: Math.floor(Date.now() / 1000) + 3600 })
  const at = { host: '127.0.0.1', port: sql, database: 'statements', user: 'agent', password }
  const client = new pg.Client(at)
  await client.connect()
  return { ask: (text) => client.query(text), close: () => client.end() }
}

async function measure(
  asking: Asking,
  votedAt: Replica,
  name: string,
  textOf: (index: number) => string,
): Promise<void> {
  const taken: number[] = []
  for (let index = 0; index < votes; index++) {
    const what = textOf(index)
    const byte = new Promise<number>((resolve) => arrived.set(what, resolve))
    const asked = asking.ask(what)
    const approval = await votedAt.pending()
    const { id, view_hash, action } = approval
    const ballot = { decision: 'approve', digest: action.digest, view_hash }
    const voted = performance.now()
    const answer = fetch(`${votedAt.controlUrl}/api/approvals/${id}/votes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${dana}`, 'content-type': 'application/json' },
      body: JSON.stringify(ballot),
    })
    taken.push((await byte) - voted)
    await Promise.all([asked, answer.then((it) => it.text())])
  }
  await asking.close()
  const counted = taken.slice(Math.ceil(votes / 10)).toSorted((a, b) => a - b)
  const at = (part: number) =>
    counted[Math.min(counted.length - 1, Math.floor(counted.length * part))]!
  const ms = [0.5, 0.9, 0.99].map((part) => at(part).toFixed(1))
  console.log(`${name.padEnd(26)} p50 ${ms[0]} ms, p90 ${ms[1]} ms, p99 ${ms[2]} ms`)
}

try {
  const owner = new pg.Client(statements.href)
  await owner.connect()
  await owner.query('CREATE TABLE here (id int); CREATE TABLE there (id int)')
  await owner.end()
  const path = (folder: string) => (index: number) => `/refunds/${folder}/${index}`
  const text = (table: string) => (index: number) => `DELETE FROM ${table} WHERE id = ${index}`
  await measure(overHttp(here), here, 'request, same replica', path('here'))
  await measure(overHttp(here), there, 'request, other replica', path('there'))
  await measure(await inSql(here), here, 'statement, same replica', text('here'))
  await measure(await inSql(here), there, 'statement, other replica', text('there'))
} finally {
  await Promise.all([stop(here.child), stop(there.child)])
  upstream.close()
  road.close()
  await issuer.close()
  await postgres.remove()
  rmSync(folder, { recursive: true, force: true })
}
