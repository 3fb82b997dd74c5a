/**
 * One gibibyte down and up, side by side in one run: past no gateway, past a bare @fastify/http-proxy, and through all of protocols/http behind a gate that says
 * yes. Prints GiB/s, and by how much the gateway's own memory grew (VmHWM, from after a first small transfer).
 *
 *     taskset -c 1 node bench/http-stream.ts [--mebibytes 1024] [--rounds 3]
 *
 * The gateway has core 0 for itself; client and upstream share core 1.
 */
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { freePort, median, startOn, stop } from './support/process.ts'

const { values } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
  },
})
const MiB = 1024 ** 2
const whole = Number(values.mebibytes)
const piece = Buffer.alloc(64 * 1024, 'x')

function* bytes(mebibytes: number) {
  for (let sent = 0; sent < mebibytes * MiB; sent += piece.length) yield piece
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })

const upstream = createServer((message, response) => {
  const mebibytes = Number(message.url!.slice('/'.length))
  if (message.method === 'GET') void pipeline(Readable.from(bytes(mebibytes)), response)
  else void pipeline(message, nowhere()).then(() => response.end())
})
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`

/** Resolves with the seconds that it took. */
async function transfer(base: string, method: 'GET' | 'POST', mebibytes: number): Promise<number> {
  const begun = performance.now()
  const headers = { authorization: 'Bearer bench' }
  const call = request(`${base}/${mebibytes}`, { method, headers, agent: false })
  const answered = new Promise<void>((resolve, reject) =>
    call
      .on('response', (response) => void pipeline(response, nowhere()).then(resolve, reject))
      .on('error', reject),
  )
  if (method === 'POST') await pipeline(Readable.from(bytes(mebibytes)), call)
  else call.end()
  await answered
  return (performance.now() - begun) / 1000
}

/** MiB of memory that a process had at its largest (proc(5)). */
function peakOf(pid: number): number {
  const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kibibytes) / 1024
}

async function measure(kind: string | null): Promise<void> {
  const port = await freePort()
  const program = new URL('support/forwarders.ts', import.meta.url).pathname
  const child = kind
    ? await startOn(0, [process.execPath, program, kind, origin, String(port)], /ready/)
    : null
  const base = kind ? `http://127.0.0.1:${port}/crm` : origin
  for (const method of ['GET', 'POST'] as const) {
    await transfer(base, method, 64)
    const before = child ? peakOf(child.pid) : 0
    const took: number[] = []
    for (let i = 0; i < Number(values.rounds); i++) took.push(await transfer(base, method, whole))
    const speed = (whole / 1024 / median(took)).toFixed(2)
    const grown = child ? `, ${Math.round(peakOf(child.pid) - before)} MiB more` : ''
    process.stdout.write(
      `${(kind ?? 'direct').padEnd(14)} ${method === 'GET' ? 'down' : 'up  '} ${speed} GiB/s${grown}\n`,
    )
  }
  if (child) await stop(child)
}

for (const kind of [null, 'bareHttpProxy', 'sallyport']) await measure(kind)
upstream.close()
upstream.closeAllConnections()
