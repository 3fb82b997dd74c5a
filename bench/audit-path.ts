/**
 * What both events of an action cost the thread that answers agents: described, hashed, linked, queued, counted, and written as messages of PostgreSQL, which a store in
 * this process takes at once. No socket, no database, and nothing behind the log.
 *
 *     node bench/audit-path.ts [--at 64] [--rounds 2500] [--src ../src]
 *
 * Prints µs of the clock for an action in the least round and at the tenth percentile (rounds that nothing came between), and the bytes that it allocates, which do not
 * depend on what else the machine does. `--src` is that of another version, to be run in turns.
 */
import { randomUUID } from 'node:crypto'
import { Session, type HeapProfiler } from 'node:inspector/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type * as Append from '../src/audit/append.ts'
import type * as Clock from '../src/audit/clock.ts'
import type { Action } from '../src/core/action.ts'
import type { Decision } from '../src/core/decision.ts'
import type { Subject } from '../src/core/subject.ts'
import type * as Events from '../src/gate/events.ts'
import type * as OutcomesModule from '../src/gate/outcomes.ts'
import type { Store } from '../src/store/db.ts'
import type { Lease } from '../src/store/lease.ts'
import type * as Logs from '../src/telemetry/log.ts'

const { values } = parseArgs({
  options: {
    at: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '2500' },
    src: { type: 'string', default: '../src' },
  },
})
const at = Number(values.at)
const rounds = Number(values.rounds)
const from = <Module>(path: string) => import(`${values.src}/${path}`) as Promise<Module>

const { AuditLog } = await from<typeof Append>('audit/append.ts')
const { DatabaseClock } = await from<typeof Clock>('audit/clock.ts')
const { completed, decided } = await from<typeof Events>('gate/events.ts')
const { Outcomes } = await from<typeof OutcomesModule>('gate/outcomes.ts')
const { createLog } = await from<typeof Logs>('telemetry/log.ts')

const known = new Set<string>()
const store: Store = {
  kind: 'postgres',
  query: async () => [],
  async exchange(statements) {
    for (const name of statements.messages(known).read) known.add(name)
    statements.sent()
    await nextTurn()
    return [null, String(Date.now())]
  },
  tx: () => Promise.reject(new Error('nothing here has a transaction')),
  listen: async () => async () => {},
  notify: async () => {},
  end: async () => {},
}
const lease: Lease = {
  ...{ replica: randomUUID(), epoch: 1 },
  held: () => true,
  advance: async () => {},
  close: async () => {},
}
const log = createLog('error')
const audit = new AuditLog({ store, lease, log }, new DatabaseClock())
const outcomes = new Outcomes(lease, log)

const issuer = 'https://idp.example.com'
const subject: Subject = {
  ...{ issuer, subject: 'agent-7', kind: 'agent', groups: ['agents'] },
  ...{ owner: { issuer, subject: 'priya' }, chain: [], related: [], claims: {} },
}
const decision: Decision = {
  ...{ verdict: 'allow', reason: 'rule-allowed', rules: ['agents-read-crm'] },
  ...{ policy: 'a'.repeat(64), requirements: [] },
}

let count = 0

function anAction(): Action {
  const path = `/v1/customers/${count++}`
  const headers = { accept: '*/*', 'user-agent': `agent/1.${count}`, 'accept-encoding': 'gzip' }
  return {
    ...{ id: randomUUID(), name: 'http.request', subject, resource: 'crm', effect: 'read' },
    attributes: {
      http: { method: 'GET', host: 'crm.example.com', path, query: {}, headers, upgrade: '' },
    },
    ...{ summary: `GET ${path}`, agentReason: null, trace: 'b'.repeat(32) },
    span: { id: 'c'.repeat(16) },
  }
}

async function one(): Promise<void> {
  const action = anAction()
  await audit.append(decided(action, decision), 1)
  const outcome = { result: 'succeeded', status: 200, bytes: 11, duration_ms: 3 } as const
  void outcomes.persist(1, audit.soon(completed(action, outcome)))
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}

const round = () => Promise.all(Array.from({ length: at }, one))

const times: number[] = []
for (let index = 0; index < rounds; index++) {
  const begun = performance.now()
  await round()
  times.push(((performance.now() - begun) * 1000) / at)
}
// The compiler was at work in the first ones.
const settled = times.slice(rounds / 2).toSorted((a, b) => a - b)

const session = new Session()
session.connect()
await session.post('HeapProfiler.startSampling', {
  ...{ samplingInterval: 4096 },
  ...{ includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true },
})
const sampled = 400
for (let index = 0; index < sampled; index++) await round()
const { profile } = await session.post('HeapProfiler.stopSampling')
const bytes = sizeOf(profile.head) / (sampled * at)

console.log(
  `${at} at a time: ${settled[0]!.toFixed(1)} µs at least, ${settled[(settled.length / 10) | 0]!.toFixed(1)} at the tenth percentile, ` +
    `${(bytes / 1024).toFixed(1)} KiB allocated`,
)
await outcomes.close()
await audit.close()
