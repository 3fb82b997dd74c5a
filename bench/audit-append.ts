/**
 * One INSERT for each event against the audit log's group commit, side by side in one run, on a real PostgreSQL with fsync.
 *
 *     node bench/audit-append.ts [--rounds 3] [--events 20000] [--sustained 15] [--rates 2000,5000] [--only append|sustained]
 *
 * The INSERT has event and personal part, and no place in a chain: with one statement each, a chain would need a lock that everybody waits for. CPU is this
 * process's own, per event. Prints the median of the rounds, and group commit as a ratio of the other.
 *
 * Then so many events a second for `sustained` seconds, with everything that follows from them: the signed log, words and usage, once in the thread that appends, and once in
 * the one that a gateway has for it. Events come every ten milliseconds, whether those before are durable or not. CPU is that of the thread that appends. `late` is the most
 * that waited for the signed log at any look, ten a second, as a time at that rate; and what waited for words in the end, with the seconds until there was none.
 */
import { generateKeyPairSync } from 'node:crypto'
import { loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { BackgroundThread } from '../src/app/background/background-thread.ts'
import { openWork, type Background } from '../src/app/background/work.ts'
import { openAuditLog } from '../src/audit/append.ts'
import { auditBacklog } from '../src/audit/backlog.ts'
import { describe } from '../src/audit/event.ts'
import type { EventInput } from '../src/core/event.ts'
import type { Subject } from '../src/core/subject.ts'
import { openLease } from '../src/store/lease.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { createLog } from '../src/telemetry/log.ts'
import { PostgresServer } from '../test/support/postgres.ts'
import { median } from './support/process.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    events: { type: 'string', default: '20000' },
    sustained: { type: 'string', default: '15' },
    rates: { type: 'string', default: '2000,5000' },
    only: { type: 'string' },
  },
})

const server = await PostgresServer.start(['max_connections=100', 'shared_buffers=256MB'])
const url = await server.createDatabase('bench')
const store = await openPostgres(url, 64)
const lease = await openLease(store)
const log = createLog('error')
const audit = await openAuditLog({ store, lease, log })

const subject: Subject = {
  issuer: 'https://example.okta.com/oauth2/default',
  subject: 'agent-7',
  kind: 'agent',
  groups: ['agents', 'crm'],
  owner: { issuer: 'https://example.okta.com/oauth2/default', subject: 'alice' },
  chain: [],
  related: [],
  claims: { scope: 'crm:read' },
}

function anIntent(): EventInput {
  return {
    type: 'action.decided',
    subject,
    action: { id: crypto.randomUUID(), name: 'http.request' },
    resource: 'crm',
    effect: 'read',
    attributes: {
      http: { method: 'GET', path: '/v1/customers/17', query: { limit: ['10'] }, host: 'crm' },
    },
    details: { summary: 'GET /v1/customers/17' },
    decision: 'allow',
    reason: 'rule-allowed',
    rules: ['agents-read-crm'],
    policy: 'a'.repeat(64),
    trace: 'b'.repeat(32),
  }
}

/** What one would write first. */
async function insertAlone(): Promise<void> {
  const event = describe(anIntent(), lease, Date.now())
  const { input, source, personal } = event
  await store.query(
    `INSERT INTO sallyport.audit_events
       (id, time, type, replica, epoch, action, resource, decision,
        issuer, subject, salt, personal, reason, body)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      ...[event.id, event.time, input.type, source.replica, source.epoch, input.action!.id],
      ...[input.resource, input.decision, input.subject!.issuer, input.subject!.subject],
      ...[personal!.salt, Buffer.from(personal!.body), input.reason, Buffer.from(event.body)],
    ],
  )
}

const ways = {
  'one INSERT each': insertAlone,
  'group commit': () => audit.append(anIntent()),
}
type Way = keyof typeof ways

interface Round {
  readonly perSecond: number
  readonly cpu: number
  readonly p50: number
  readonly p99: number
}

async function run(way: Way, waiting: number): Promise<Round> {
  const events = Math.min(Number(values.events), waiting * 500)
  const latencies: number[] = []
  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  let left = events
  const appender = async () => {
    while (left-- > 0) {
      const asked = performance.now()
      await ways[way]()
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: waiting }, appender))
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)]!
  return { perSecond: events / seconds, cpu: (user + system) / events, p50: at(0.5), p99: at(0.99) }
}

async function measure(waiting: number): Promise<void> {
  const rounds = new Map<Way, Round[]>(Object.keys(ways).map((way) => [way as Way, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [way, results] of rounds) results.push(await run(way, waiting))
  }
  const middle = (way: Way, field: keyof Round) => median(rounds.get(way)!.map((it) => it[field]))
  console.log(`\n${waiting} waiting`)
  for (const way of rounds.keys()) {
    const figures = [
      `${Math.round(middle(way, 'perSecond'))} events/s`,
      `${middle(way, 'cpu').toFixed(1)} µs CPU`,
      `p50 ${middle(way, 'p50').toFixed(2)} ms`,
      `p99 ${middle(way, 'p99').toFixed(2)} ms`,
    ]
    console.log(`  ${way.padEnd(16)} ${figures.join(', ')}`)
  }
  const ratio = (field: keyof Round) =>
    (middle('group commit', field) / middle('one INSERT each', field)).toFixed(2)
  console.log(
    `  group commit of one INSERT each: ${ratio('perSecond')} × events/s, ${ratio('cpu')} × CPU`,
  )
}

const signing = [generateKeyPairSync('ed25519').privateKey]
const places = { anchor: [], deliveries: {} }

const backgrounds: Record<string, () => Background> = {
  'in the same thread': () =>
    openWork({
      ...{ store, leisure: store, log, audit, places },
      signing: () => signing,
      onCheckpoint: () => undefined,
      onDelivered: () => undefined,
    }),
  'in its own': () =>
    new BackgroundThread({
      ...{ url, replica: lease.replica, places, log },
      signing: () => signing,
      onNews: () => audit.linkWritten(),
      onDeath: () => console.error('the thread died'),
    }),
}

/** Milliseconds. */
const tick = 10
/** Words of the last events wait for more of them. */
const company = 600

async function isBehind(): Promise<boolean> {
  const { log, words } = await auditBacklog(store)
  return log > 0 || words > company
}

async function sustain(where: string, rate: number): Promise<void> {
  const background = backgrounds[where]!()
  // It is there before anything is measured.
  await background.seal()
  const latencies: number[] = []
  const looks: Promise<number>[] = []
  const pending: Promise<void>[] = []
  const append = async (asked: number) => {
    await audit.append(anIntent())
    latencies.push(performance.now() - asked)
  }
  const cpuBefore = process.threadCpuUsage()
  const began = performance.now()
  for (let ticks = 1; performance.now() - began < Number(values.sustained) * 1_000; ticks++) {
    const due = began + ticks * tick
    for (let i = 0; i < (rate * tick) / 1_000; i++) pending.push(append(due))
    if (ticks % 10 === 0) looks.push(auditBacklog(store).then((it) => it.log))
    await sleep(Math.max(0, due + tick - performance.now()))
  }
  await Promise.all(pending)
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.threadCpuUsage(cpuBefore)
  const late = Math.max(...(await Promise.all(looks)))
  const { words } = await auditBacklog(store)
  const idle = performance.now()
  while (await isBehind()) await sleep(50)
  const after = (performance.now() - idle) / 1_000
  await background.close()
  latencies.sort((x, y) => x - y)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)]!.toFixed(1)
  const figures = [
    `${Math.round(latencies.length / seconds)} events/s of ${rate}`,
    `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    `${((user + system) / latencies.length).toFixed(1)} µs CPU`,
    `log ${(late / rate).toFixed(1)} s late`,
    `${words} without words, for ${after.toFixed(1)} s`,
  ]
  console.log(`  ${where.padEnd(18)} ${figures.join('; ')}`)
}

if (values.only !== 'sustained') {
  for (const waiting of [1, 8, 64, 512]) await run('group commit', waiting)
  for (const waiting of [1, 8, 64, 512]) await measure(waiting)
}
if (values.only !== 'append') {
  for (const rate of values.rates.split(',').map(Number)) {
    console.log(`\nwith everything that follows, load average ${loadavg()[0]!.toFixed(1)}`)
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const where of Object.keys(backgrounds)) await sustain(where, rate)
    }
  }
}

await audit.close()
await lease.close()
await store.end()
await server.remove()
