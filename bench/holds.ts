/**
 * Requests that are held: what each of them costs the gateway in memory, and how long it takes until all have their answers; beside nginx, whose requests wait for
 * its upstream instead.
 *
 *     ulimit -n 20000; taskset -c 1 node bench/holds.ts [--holds 1000]
 *
 * The gateway is the real one, with PostgreSQL behind it. All of its requests are the same, by one agent, so that one vote ends them all: one runs, and the others
 * are told which. Every one of them is an attempt with a body, a connection, and a decision on record. The proxies are alone on core 0; everything else shares core 1.
 * Memory is what the process has resident more than with no request, by the number of requests. A held request takes two descriptors in nginx, and one in the
 * gateway. The neighbour is another client, whose small reads go one after the other, with nobody held and with everybody.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gatewayClient } from '../test/support/gateway-client.ts'
import { PostgresServer } from '../test/support/postgres.ts'
import { startTokenIssuer } from '../test/support/token-issuer.ts'
import { startNginx } from './support/nginx.ts'
import { freePort, startOn, stop } from './support/process.ts'

const { values } = parseArgs({ options: { holds: { type: 'string', default: '1000' } } })
const holds = Number(values.holds)
const body = JSON.stringify({ note: 'x'.repeat(1200) })

interface Result {
  readonly name: string
  /** KiB of resident memory for each held request. */
  readonly each: number
  /** Milliseconds from the release to the last answer. */
  readonly release: number
  /** p99 of a neighbour's requests, in milliseconds: alone, and beside what is held. */
  readonly neighbour: { readonly alone: number; readonly beside: number }
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

/** Opens the connections, a hundred at a time, and sends a request on each. Resolves to what resolves when all are answered. */
async function sendAll(port: number, head: string): Promise<{ readonly answered: Promise<void> }> {
  const sockets: Socket[] = []
  const answers: Promise<unknown>[] = []
  const request = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  for (let sent = 0; sent < holds; sent += 100) {
    const some = Array.from({ length: Math.min(100, holds - sent) }, () =>
      connect(port, '127.0.0.1'),
    )
    await Promise.all(some.map((socket) => once(socket, 'connect')))
    for (const socket of some) {
      answers.push(once(socket, 'data'))
      socket.write(request)
    }
    sockets.push(...some)
  }
  const answered = Promise.all(answers).then(() => sockets.forEach((socket) => socket.destroy()))
  return { answered }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(200)
}

/** Milliseconds, of a thousand requests. */
async function p99(request: () => Promise<Response>): Promise<number> {
  const times: number[] = []
  for (let sent = 0; sent < 1000; sent++) {
    const begun = performance.now()
    const response = await request()
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`a neighbour got ${response.status}`)
    times.push(performance.now() - begun)
  }
  return times.toSorted((a, b) => a - b)[990]!
}

interface Contestant {
  readonly name: string
  readonly pid: number
  readonly send: () => ReturnType<typeof sendAll>
  readonly held: () => Promise<number>
  readonly release: () => Promise<unknown>
  readonly neighbour: () => Promise<Response>
}

async function measure(contestant: Contestant): Promise<Result> {
  const { name, pid, send, held, release, neighbour } = contestant
  // What is compiled and allocated once is nobody's hold.
  await p99(neighbour)
  const alone = await p99(neighbour)
  const before = residentKiB(pid)
  const { answered } = await send()
  await until(async () => (await held()) >= holds)
  const each = (residentKiB(pid) - before) / holds
  const beside = await p99(neighbour)
  const begun = performance.now()
  await release()
  await answered
  return { name, each, release: performance.now() - begun, neighbour: { alone, beside } }
}

async function nginx(): Promise<Result> {
  const [port, behind] = [await freePort(), await freePort()]
  const script = new URL('support/holding-upstream.ts', import.meta.url).pathname
  const upstream = await startOn(1, [process.execPath, script, String(behind)], /ready/)
  const proxy = await startNginx(
    0,
    `server { listen 127.0.0.1:${port} backlog=20000; location / { proxy_pass http://127.0.0.1:${behind}; proxy_read_timeout 600s; } }`,
  )
  const ask = async (path: string) =>
    Number(await (await fetch(`http://127.0.0.1:${behind}${path}`)).text())
  const result = await measure({
    name: 'nginx, waiting for its upstream',
    pid: proxy.pid,
    send: () => sendAll(port, 'POST /v1/refunds HTTP/1.1\r\nHost: bench\r\n'),
    held: () => ask('/held'),
    release: () => ask('/release'),
    neighbour: () => fetch(`http://127.0.0.1:${port}/held`),
  })
  await proxy.stop()
  await stop(upstream)
  return result
}

async function sallyport(): Promise<Result> {
  const [agents, control, behind] = [await freePort(), await freePort(), await freePort()]
  const script = new URL('support/holding-upstream.ts', import.meta.url).pathname
  const upstream = await startOn(1, [process.execPath, script, String(behind)], /ready/)
  const postgres = await PostgresServer.start(['shared_buffers=128MB', 'max_wal_size=4GB'])
  const issuer = await startTokenIssuer()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  mkdirSync(join(folder, 'policies'))
  writeFileSync(
    join(folder, 'policies', 'holds.yaml'),
    `rules:
  - { name: held, on: crm, what: { http: { method: POST } }, then: hold, approval: { from: { group: support-leads } } }
  - { name: neighbour, on: crm, what: { http: { method: GET, path: /held } }, then: allow }
`,
  )
  writeFileSync(
    join(folder, 'sallyport.yaml'),
    `listen:
  agents: { address: 127.0.0.1:${agents}, max_connections: 20000, max_connections_per_address: 20000, max_connections_per_subject: 20000 }
  control: { address: 127.0.0.1:${control} }
store: { url: '${await postgres.createDatabase('bench')}' }
identity:
  issuers: [{ issuer: ${issuer.issuer}, audience: sallyport, claims: { owner: agent_owner, kind: kind } }]
  login: { issuer: ${issuer.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers } }
resources: [{ name: crm, protocol: http, match: { prefix: /crm }, upstream: http://127.0.0.1:${behind}, read: [GET /held] }]
policies: ./policies
hold: { max_per_subject: 2000 }
log: { level: warn }
`,
  )
  const main = new URL('../src/cli/main.ts', import.meta.url).pathname
  const config = join(folder, 'sallyport.yaml')
  const child = await startOn(
    0,
    [process.execPath, main, 'serve', '--config', config],
    /agents +http/,
  )
  const urls = {
    agentsUrl: `http://127.0.0.1:${agents}`,
    controlUrl: `http://127.0.0.1:${control}`,
  }
  const client = gatewayClient(issuer, () => urls)
  const token = await client.agentToken()
  const waiting = async () => {
    const metrics = await (await fetch(`${urls.controlUrl}/metrics`)).text()
    return Number(/^sallyport_holds_waiting (\d+)$/m.exec(metrics)![1])
  }
  const headers = { authorization: `Bearer ${await client.agentToken({ sub: 'neighbour' })}` }
  const result = await measure({
    name: 'sallyport, waiting for people',
    pid: child.pid,
    send: () =>
      sendAll(
        agents,
        `POST /crm/v1/refunds HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\nPrefer: wait=600\r\n`,
      ),
    held: waiting,
    release: async () => {
      const voted = await client.vote('dana', await client.pending())
      if (voted.status !== 200) throw new Error(await voted.text())
      // The one that runs: its upstream answers when it has it.
      await until(
        async () => Number(await (await fetch(`http://127.0.0.1:${behind}/release`)).text()) > 0,
      )
    },
    neighbour: () => fetch(`${urls.agentsUrl}/crm/held`, { headers }),
  })
  await stop(child)
  await issuer.close()
  await postgres.remove()
  await stop(upstream)
  rmSync(folder, { recursive: true, force: true })
  return result
}

for (const contestant of [nginx, sallyport]) {
  const { name, each, release, neighbour } = await contestant()
  process.stdout.write(
    `${name.padEnd(34)} ${each.toFixed(1).padStart(6)} KiB each   all released in ${(release / 1000).toFixed(2)} s   neighbour's p99 ${neighbour.alone.toFixed(1)} ms alone, ${neighbour.beside.toFixed(1)} ms beside\n`,
  )
}
