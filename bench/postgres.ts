/**
 * Statements through the gateway, side by side in one run: directly, through pgbouncer (Debian's package), and through Sallyport doing all of its work
 * (token, 1,000 rules, every statement judged, durable audit in PostgreSQL).
 *
 *     taskset -c 1 node bench/postgres.ts [--rounds 3] [--seconds 2] [--only points|ddl|bulk|sessions|gigabyte] [--shape words] [--tls] [--profile folder]
 *
 * With TMPDIR=/dev/shm nothing waits for a disk, so that what is left is the gateway itself. Each proxy has core 0 for itself; the clients and both PostgreSQLs share core 1. Prints the median of the rounds, as ratios to pgbouncer in the same rounds. CPU is the
 * proxy's own. With --tls, all of it is inside of TLS, on both sides of the proxies.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { findPostgres, PostgresServer } from '../test/support/postgres.ts'
import { makeCertificate } from './support/certificate.ts'
import { startGatewayUnderTest } from './support/gateway.ts'
import { startPgbouncer } from './support/pgbouncer.ts'
import { cpuMicros, median } from './support/process.ts'
import { BareClient } from './support/wire.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string' },
    shape: { type: 'string', default: '' },
    tls: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const run = promisify(execFile)
const name = 'bench'

interface Contestant {
  readonly name: string
  readonly port: number
  /** `null`: nothing is in between. */
  readonly pid: number | null
  readonly token: string
}

interface Round {
  readonly speed: number
  readonly cpu: number
}

const tls = values.tls ? makeCertificate() : null
const settings = ['shared_buffers=128MB', 'max_wal_size=4GB', 'max_connections=1200']
if (tls) settings.push('ssl=on', `ssl_cert_file=${tls.cert}`, `ssl_key_file=${tls.key}`)
const upstream = await PostgresServer.start([...settings, 'fsync=off'])
await upstream.createDatabase(name)
const { port } = new URL(upstream.url(name))
const database = { port: Number(port), name }
const node = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
const gateway = await startGatewayUnderTest({
  core: 0,
  upstream: 'http://127.0.0.1:9',
  rules: 1000,
  database,
  tls,
  node,
})
// Last: nothing ends it if another one does not start.
const pgbouncer = await startPgbouncer(0, database, tls)
const contestants: readonly Contestant[] = [
  { name: 'direct', port: database.port, pid: null, token: '' },
  { name: 'pgbouncer', port: pgbouncer.port, pid: pgbouncer.pid, token: '' },
  { name: 'sallyport', port: gateway.databasePort, pid: gateway.pid, token: gateway.token },
]

async function pgbench({ port, token }: Contestant, args: readonly string[]): Promise<string> {
  // Not execFileSync: this process also is the issuer of the tokens, and has to answer meanwhile.
  const { stdout } = await run(
    'taskset',
    ['-c', '1', `${findPostgres()}/pgbench`, '-h', '127.0.0.1', '-p', String(port), ...args, name],
    {
      env: {
        ...process.env,
        PGUSER: 'postgres',
        PGPASSWORD: token || 'none',
        PGSSLMODE: tls ? 'require' : 'disable',
      },
    },
  )
  return stdout
}

async function measured(contestant: Contestant, work: () => Promise<number>): Promise<Round> {
  const { pid } = contestant
  const before = pid ? cpuMicros(pid) : 0
  const begun = performance.now()
  const units = await work()
  const seconds = (performance.now() - begun) / 1000
  return { speed: units / seconds, cpu: pid ? (cpuMicros(pid) - before) / units : 0 }
}

/** Everybody in turn, several times. */
async function compare(
  shape: string,
  unit: string,
  work: (contestant: Contestant) => Promise<Round>,
): Promise<void> {
  if (!shape.includes(values.shape)) return
  const found = new Map<Contestant, Round[]>(contestants.map((one) => [one, []]))
  // Once for nothing: compilers and caches.
  for (const one of contestants) await work(one)
  for (let round = 0; round < rounds; round++)
    for (const one of contestants) found.get(one)!.push(await work(one))
  const of = (one: Contestant, key: keyof Round) => median(found.get(one)!.map((it) => it[key]))
  const [direct, pooler, ours] = contestants as [Contestant, Contestant, Contestant]
  const ratio = (one: Contestant, other: Contestant) =>
    (of(one, 'speed') / of(other, 'speed')).toFixed(2)
  process.stdout.write(
    `| ${shape} | ${of(direct, 'speed').toFixed(0)} ${unit}/s | ${ratio(pooler, direct)} | ${ratio(ours, direct)} | ${ratio(ours, pooler)} | ` +
      `${of(pooler, 'cpu').toFixed(1)} | ${of(ours, 'cpu').toFixed(1)} |\n`,
  )
}

async function points(): Promise<void> {
  await pgbench(contestants[0]!, ['-i', '-q'])
  for (const protocol of ['simple', 'extended', 'prepared'])
    for (const clients of ['1', '8', '32'])
      await compare(`${protocol}, ${clients}`, 'statements', (one) =>
        transactions(one, protocol, clients, ['-S']),
      )
  await compare('connect each time, 4', 'connections', (one) =>
    transactions(one, 'simple', '4', ['-S', '-C']),
  )
}

/** Tables that come and go: behind each, the gateway reads what has changed in the catalogue. */
async function ddl(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const file = join(folder, 'ddl.sql')
  writeFileSync(
    file,
    `CREATE TABLE made (id int PRIMARY KEY, name text);
INSERT INTO made VALUES (1, 'one');
SELECT * FROM made;
DROP TABLE made;
`,
  )
  await compare('CREATE, INSERT, SELECT, DROP', 'rounds', (one) =>
    transactions(one, 'simple', '1', ['-f', file]),
  )
  rmSync(folder, { recursive: true })
}

async function transactions(
  one: Contestant,
  protocol: string,
  clients: string,
  more: readonly string[],
): Promise<Round> {
  let speed = 0
  const { cpu } = await measured(one, async () => {
    const args = ['-n', '-M', protocol, '-c', clients, '-T', values.seconds, ...more]
    const out = await pgbench(one, args)
    // Without the time that the first connections take, or with it where that is what counts.
    speed = Number(/tps = ([\d.]+)/.exec(out)![1])
    return Number(/actually processed: (\d+)/.exec(out)![1])
  })
  return { speed, cpu }
}

const open = ({ port, token }: Contestant) => BareClient.open(port, name, token, tls !== null)

async function bulk(): Promise<void> {
  const chunk = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(64))
  const mebibytes = 256
  const streamed = (sql: string) => async (one: Contestant) => {
    const client = await open(one)
    await client.ask('SELECT 1')
    const round = await measured(one, async () => (await client.ask(sql)) / 2 ** 20)
    client.close()
    return round
  }
  await compare(
    'a million narrow rows',
    'MiB',
    streamed('SELECT i FROM generate_series(1, 1000000) i'),
  )
  await compare(
    '200,000 rows of 1 KB',
    'MiB',
    streamed("SELECT repeat('x', 1000) FROM generate_series(1, 200000)"),
  )
  await compare(
    'COPY out',
    'MiB',
    streamed("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 200000)) TO STDOUT"),
  )
  await compare('COPY in', 'MiB', async (one) => {
    const client = await open(one)
    await client.ask('CREATE UNLOGGED TABLE copied (line text)')
    const round = await measured(one, async () => {
      await client.copyIn('COPY copied FROM STDIN', chunk, mebibytes * 16)
      return mebibytes
    })
    await client.ask('DROP TABLE copied')
    client.close()
    return round
  })
}

/** Memory of sessions, in KiB each: of idle ones, and of those with a statement that waits for people. Of many agents, since one may not ask for so much. */
async function sessions(): Promise<void> {
  const [count, agents] = [1000, 50]
  const tokens = await Promise.all(
    Array.from({ length: agents }, (_, i) => gateway.tokenOf(`agent-${i}`)),
  )
  const direct = await open(contestants[0]!)
  await direct.ask('CREATE TABLE held (id int)')
  direct.close()
  for (const one of contestants) {
    const { name: who, pid, token } = one
    if (!pid) continue
    const clients: BareClient[] = []
    const more = async (some: number) => {
      for (let i = 0; i < some; i++)
        clients.push(await open({ ...one, token: token && tokens[clients.length % agents]! }))
    }
    await more(100)
    for (const client of clients) await client.ask('SELECT 1')
    // V8 compiles the parser once more, and gives that memory back.
    await sleep(15_000)
    const before = residentOf(pid)
    await more(count - 100)
    const idle = (residentOf(pid) - before) / (count - 100)
    process.stdout.write(`${who}: ${idle.toFixed(0)} KiB for each of ${count} idle sessions\n`)
    if (who === 'sallyport') await heldBy(clients, one)
    for (const client of clients) client.close()
  }
}

async function heldBy(clients: readonly BareClient[], ours: Contestant): Promise<void> {
  const neighbour = await open(ours)
  const pid = ours.pid!
  const alone = await answers(neighbour)
  const [before, cpu, begun] = [residentOf(pid), cpuMicros(pid), performance.now()]
  // Each is another statement: people decide on every one.
  const sent = clients.map((client, i) =>
    client.until('held for approval', `DELETE FROM held WHERE id = ${i}`),
  )
  await Promise.all(sent)
  const seconds = (performance.now() - begun) / 1000
  const each = (cpuMicros(pid) - cpu) / 1000 / clients.length
  const held = (residentOf(pid) - before) / clients.length
  process.stdout.write(
    `sallyport: ${held.toFixed(0)} KiB more for each of ${clients.length} that are held; all are after ${seconds.toFixed(1)} s, ${each.toFixed(1)} ms of CPU each\n` +
      `a neighbour's SELECT takes ${alone.toFixed(1)} ms, and ${(await answers(neighbour)).toFixed(1)} ms beside them\n`,
  )
  neighbour.close()
}

/** Milliseconds of an answer: the median of many. */
async function answers(client: BareClient): Promise<number> {
  const taken: number[] = []
  for (let i = 0; i < 200; i++) {
    const begun = performance.now()
    await client.ask('SELECT 1')
    taken.push(performance.now() - begun)
  }
  return median(taken)
}

/** Memory of the gateway while a gibibyte goes through it, each way. */
async function gigabyte(): Promise<void> {
  const ours = contestants.at(-1)!
  const client = await open(ours)
  await client.ask('CREATE UNLOGGED TABLE large (line text)')
  const row = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(64))
  const watched = async (what: string, work: () => Promise<unknown>) => {
    const before = residentOf(ours.pid!)
    let most = before
    const watching = setInterval(() => (most = Math.max(most, residentOf(ours.pid!))), 20)
    await work()
    clearInterval(watching)
    const mebibytes = (most - before) / 1024
    process.stdout.write(`1 GiB ${what}: ${mebibytes.toFixed(0)} MiB more at most\n`)
  }
  for (let round = 0; round < rounds; round++) {
    await watched('in', () => client.copyIn('COPY large FROM STDIN', row, 16 * 1024))
    await watched('out', () => client.ask('COPY large TO STDOUT'))
    await client.ask('TRUNCATE large')
  }
  client.close()
}

/** KiB of memory of a process (proc(5)). */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

process.stdout.write(
  '| shape | direct | pgbouncer of direct | sallyport of direct | sallyport of pgbouncer | pgbouncer, CPU µs | sallyport, CPU µs |\n',
)
if (!values.only || values.only === 'points') await points()
if (!values.only || values.only === 'ddl') await ddl()
if (!values.only || values.only === 'bulk') await bulk()
if (!values.only || values.only === 'sessions') await sessions()
if (!values.only || values.only === 'gigabyte') await gigabyte()

await gateway.stop()
await pgbouncer.stop()
await upstream.remove()
if (tls) rmSync(tls.folder, { recursive: true })
