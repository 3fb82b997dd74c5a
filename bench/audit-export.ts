/**
 * A part of a log that is there already, exported, or exported and verified and turned into evidence; in a process of its own, so that the memory is of this alone. Exported in a thread, as a gateway does. One line.
 *
 *     node bench/audit-export.ts --database postgres://owner@127.0.0.1/month --as ndjson|ocsf|csv|cef|verified [--events 10000000]
 *
 * Memory is this process's at its most, CPU that of all its threads.
 */
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { exportAside } from '../src/app/exports/export-aside.ts'
import type { FormatName } from '../src/audit/export/format.ts'

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    as: { type: 'string', default: 'ndjson' },
    events: { type: 'string', default: '10000000' },
  },
})

const part = { first: 0, end: Number(values.events) }
const peak = watchMemory()
const measured = await (values.as === 'verified'
  ? exportAndVerify()
  : exportAs(values.as as FormatName))
console.log(`${measured}, memory ${peak()} MiB`)

async function exportAs(name: FormatName): Promise<string> {
  const began = performance.now()
  const cpu = process.cpuUsage()
  let size = 0
  for await (const piece of exportAside(values.database, part, name, {})) size += piece.length
  const perSecond = (part.end / (performance.now() - began)) * 1_000
  return `export of ${part.end} as ${name}: ${Math.round(perSecond)} rows/s, ${(microsSince(cpu) / part.end).toFixed(1)} µs of CPU each, ${Math.round(size / 2 ** 20)} MiB`
}

async function exportAndVerify(): Promise<string> {
  // Whoever only exports has none of it in memory.
  const { Collector } = await import('../src/audit/evidence/collect.ts')
  const { manifestOf } = await import('../src/audit/export/manifest.ts')
  const { exportNdjson } = await import('../src/audit/export/ndjson.ts')
  const { verifyExport } = await import('../src/audit/verify.ts')
  const { manifestFile } = await import('../src/audit/verify/signed-log.ts')
  const { openPostgres } = await import('../src/store/postgres.ts')
  const store = await openPostgres(values.database)
  const manifest = manifestFile.parse(JSON.parse(JSON.stringify(await manifestOf(store, part))))
  const collector = new Collector()
  let collecting = 0
  async function* lines(): AsyncGenerator<string> {
    for await (const line of exportNdjson(store, part)) {
      const began = performance.now()
      collector.add(line)
      collecting += performance.now() - began
      yield line
    }
  }
  const cpu = process.cpuUsage()
  const report = await verifyExport(lines(), { manifest, keys: [], older: null })
  await store.end()
  const each = (micros: number) => Math.round((part.end / micros) * 1_000_000)
  return `verified ${part.end}, ${report.ok ? 'nothing is wrong' : 'NOT OK'}: ${each(microsSince(cpu) - collecting * 1_000)} events for a second of CPU, export included; evidence of all controls: ${each(collecting * 1_000)}`
}

function microsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Gives the most that this process had since, in MiB. */
function watchMemory(): () => number {
  let most = 0
  const look = () => (most = Math.max(most, process.memoryUsage.rss()))
  const timer = setInterval(look, 50)
  return () => {
    look()
    clearInterval(timer)
    return Math.round(most / 2 ** 20)
  }
}
