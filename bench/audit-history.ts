/**
 * A month of made-up history in the log: searched, exported, verified and turned into evidence.
 *
 *     node bench/audit-history.ts [--events 10000000] [--part 10000000] [--rounds 25] [--database postgres://owner@127.0.0.1/month]
 *
 * Without --database in a PostgreSQL of its own, with fsync, which is gone afterwards. A database that is given is filled where its log is empty, and stays. Exporting (`audit-export.ts`),
 * verifying and evidence are measured on the first `part` events, all of them unless it is said, each in a process of its own. One line a figure.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { Problem } from '../src/core/errors.ts'
import { searchEvents, type EventFilter, type EventPage } from '../src/audit/search.ts'
import { buildWords } from '../src/audit/search/build-words.ts'
import { openPostgres } from '../src/store/postgres.ts'
import { PostgresServer } from '../test/support/postgres.ts'
import { randomFrom } from '../test/support/random.ts'
import { resourceNames, subjectNames } from './support/history.ts'
import { loadHistory } from './support/load-history.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    part: { type: 'string' },
    rounds: { type: 'string', default: '25' },
    database: { type: 'string' },
  },
})

const server =
  values.database === undefined
    ? await PostgresServer.start(['shared_buffers=2GB', 'max_wal_size=8GB'])
    : null
const url = values.database ?? (await server!.createDatabase('month'))
const store = await openPostgres(url)
if ((await sizeOfLog()) === 0) await loadHistory(url, Number(values.events), console.log)
await measureWords()
await measureSearches()
const part = Number(values.part ?? (await sizeOfLog()))
await measureExport()
await store.end()
await server?.remove()

async function sizeOfLog(): Promise<number> {
  const [tree] = await store.query<{ size: number }>('SELECT size FROM sallyport.audit_tree')
  return tree!.size
}

async function measureWords(): Promise<void> {
  const began = performance.now()
  const cpu = process.cpuUsage()
  while (await buildWords(store));
  const [words] = await store.query<{ segments: number; events: number; size: string }>(
    `SELECT count(*)::int AS segments, coalesce(sum(until - first), 0)::int AS events,
            pg_size_pretty(pg_total_relation_size('sallyport.audit_words') + pg_total_relation_size('sallyport.audit_word_pages')) AS size
       FROM sallyport.audit_words`,
  )
  const { user, system } = process.cpuUsage(cpu)
  console.log(
    `words of ${words!.events} events in ${words!.segments} segments, ${words!.size}, ${seconds(began)}, ${Math.round((user + system) / 1_000)} ms of CPU`,
  )
}

async function measureSearches(): Promise<void> {
  const random = randomFrom(3)
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  const [span] = await store.query<{ from: Date; to: Date }>(
    'SELECT min(sequenced_at) AS from, max(sequenced_at) AS to FROM sallyport.audit_tree_stretches',
  )
  const at = () =>
    new Date(span!.from.getTime() + random() * (span!.to.getTime() - span!.from.getTime()))
  const day = 86_400_000
  const someEvent = async (condition: string): Promise<Record<string, string>> => {
    const { events } = await searchEvents(
      store,
      { to: at(), decision: 'hold', type: condition },
      null,
      1,
    )
    return events[0] as unknown as Record<string, string>
  }
  const kinds: Readonly<Record<string, () => EventFilter | Promise<EventFilter>>> = {
    'nothing in particular': () => ({}),
    subject: () => ({ subject: one(subjectNames) }),
    resource: () => ({ resource: one(resourceNames) }),
    'action by id': async () => ({
      action: ((await someEvent('action.decided'))['action'] as unknown as { id: string }).id,
    }),
    'action by name': () => ({ action: one(['http.request', 'sql.statement']) }),
    decision: () => ({ decision: one(['allow', 'deny', 'hold'] as const) }),
    reason: () => ({
      reason: one(['PII_EXPORT', 'rule-denied', 'no-rule-matched', 'rule-allowed']),
    }),
    rule: () => ({
      rule: one([
        'no-exports-at-night',
        'customer-exports-need-two-owners',
        `reads-on-${one(resourceNames)}`,
      ]),
    }),
    result: () => ({ result: one(['succeeded', 'failed']) }),
    digest: async () => ({ digest: (await someEvent('approval.requested'))['digest']! }),
    trace: async () => ({ trace: (await someEvent('action.decided'))['trace']! }),
    'a common word': () => ({ q: one(['select', 'customers', 'agent', 'orders']) }),
    'a rare word': () => ({ q: `ticket ${Math.floor(random() * 90_000)}` }),
    'the beginning of a path': () => ({
      q: `/v1/${one(['customers', 'orders', 'refunds'])}/${Math.floor(random() * 2_000)}`,
    }),
    'words of a statement': () => ({
      q: `update ${one(['orders', 'customers', 'tickets'])} ${one(['invoice', 'churn', 'fraud'])}`,
    }),
    'words, beyond ASCII': () => ({ q: one(['REYKJAVÍK', 'malmö']) }),
    'word and subject': () => ({ q: one(['customers', 'fraud']), subject: one(subjectNames) }),
    'word, resource and decision': () => ({
      q: 'customers',
      resource: one(resourceNames),
      decision: one(['deny', 'hold'] as const),
    }),
    'subject, resource and reason': () => ({
      subject: one(subjectNames),
      resource: one(resourceNames),
      reason: 'rule-denied',
    }),
    'word in a day': () => {
      const from = at()
      return { q: one(['fraud', 'audit', 'oslo']), from, to: new Date(from.getTime() + day) }
    },
    'nothing that is there': () => ({ q: `nobody${Math.floor(random() * 1e9)}` }),
  }
  console.log('\nsearch, 100 events a page       first      p50      p95   page 50, p95 (ms)')
  for (const [kind, filter] of Object.entries(kinds)) {
    // Before anything else of its kind: with whatever is in memory already.
    const cold = await filter()
    const { ms: coldly } = await timed(() => searchEvents(store, cold))
    const first: number[] = []
    const fiftieth: number[] = []
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const asked = await filter()
      first.push((await timed(() => searchEvents(store, asked))).ms)
      // To get there takes longer than anything else here.
      const cursor = round % 2 === 0 ? await cursorOfPage(50, asked) : null
      if (cursor !== null) fiftieth.push((await timed(() => searchEvents(store, asked, cursor))).ms)
    }
    const late = fiftieth.length > 0 ? percentile(fiftieth, 0.95) : '-'
    console.log(
      `  ${kind.padEnd(28)} ${coldly.toFixed(1).padStart(7)} ${percentile(first, 0.5).padStart(8)} ${percentile(first, 0.95).padStart(8)} ${late.padStart(10)}`,
    )
  }
}

/** By large steps to the same place. */
async function cursorOfPage(page: number, filter: EventFilter): Promise<string | null> {
  let cursor: string | null = null
  for (let left = (page - 1) * 100; left > 0; left -= 1_000) {
    const size = Math.min(left, 1_000)
    const found: EventPage | null = await searchEvents(store, filter, cursor, size).catch(refused)
    if (!found?.cursor) return null
    cursor = found.cursor
  }
  return cursor
}

/** Each in a process of its own. */
async function measureExport(): Promise<void> {
  await copyOut()
  for (const as of ['ndjson', 'ocsf', 'csv', 'verified']) {
    const program = fileURLToPath(new URL('audit-export.ts', import.meta.url))
    const options = ['--database', url, '--as', as, '--events', String(part)]
    const child = spawn(process.execPath, [program, ...options], {
      stdio: 'inherit',
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`the export as ${as} ended with ${code}`)
  }
}

/** What PostgreSQL takes to give the same rows out, in rows/s. */
async function copyOut(): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const [upTo] = await store.query<{ id: string }>(
    'SELECT id FROM sallyport.audit_events ORDER BY id OFFSET $1 LIMIT 1',
    [part],
  )
  const began = performance.now()
  const stream = client.query(
    copyTo(
      `COPY (SELECT id, body, salt, personal FROM sallyport.audit_events WHERE id < '${upTo?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff'}' ORDER BY id) TO STDOUT`,
    ),
  )
  stream.resume()
  await finished(stream)
  await client.end()
  const perSecond = (part / (performance.now() - began)) * 1_000
  console.log(`\nCOPY … TO STDOUT of ${part} rows: ${Math.round(perSecond)} rows/s`)
}

async function timed(work: () => Promise<unknown>): Promise<{ ms: number }> {
  const began = performance.now()
  await work().catch(refused)
  return { ms: performance.now() - began }
}

/** A search that takes too long is one that took as long as it may. */
function refused(error: unknown): null {
  if (error instanceof Problem) return null
  throw error
}

function percentile(figures: readonly number[], share: number): string {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!.toFixed(1)
}

function seconds(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`
}
