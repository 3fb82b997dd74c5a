/**
 * What forwarding itself costs, side by side in one run: nginx, a bare @fastify/http-proxy, the same route with Node's own client or undici's dispatch behind
 * it and nothing else, and all of protocols/http behind a gate that says yes. No policies, no store: bench/http.ts has those.
 *
 *     node bench/http-forward.ts [--rounds 3] [--seconds 3] [--connections 64] [--body 0]
 *
 * Each gateway has core 0 for itself, one after the other; wrk and the upstream (nginx) share core 1. `--body` posts so many bytes. Prints medians, and
 * ratios to nginx in the same rounds.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startNginx } from './support/nginx.ts'
import { cpuMicros, freePort, median, startOn, stop } from './support/process.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    body: { type: 'string', default: '0' },
  },
})

interface Running {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

interface Round {
  readonly perSecond: number
  readonly cpu: number
  readonly p50: number
  readonly p99: number
}

const [upstreamPort, nginxPort] = await Promise.all([freePort(), freePort()])
const upstream = await startNginx(
  1,
  `server { listen 127.0.0.1:${upstreamPort} backlog=4096; location / { default_type application/json; return 200 '{"ok":true}'; } }`,
)

async function nginx(): Promise<Running> {
  const server = await startNginx(
    0,
    `upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 256; }
     server { listen 127.0.0.1:${nginxPort}; location /crm/ { proxy_pass http://origin/; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
  )
  return { ...server, port: nginxPort }
}

async function forwarder(kind: string): Promise<Running> {
  const script = new URL('support/forwarders.ts', import.meta.url).pathname
  const port = await freePort()
  const child = await startOn(
    0,
    [process.execPath, script, kind, `http://127.0.0.1:${upstreamPort}`, String(port)],
    /ready/,
  )
  return { port, pid: child.pid, stop: () => stop(child) }
}

const contestants: Record<string, () => Promise<Running>> = {
  nginx,
  'bare @fastify/http-proxy': () => forwarder('bareHttpProxy'),
  "fastify + Node's own client, nothing else": () => forwarder('nodeHttp'),
  "fastify + undici's dispatch, nothing else": () => forwarder('undiciDispatch'),
  'sallyport: all of protocols/http': () => forwarder('sallyport'),
}

const script = join(mkdtempSync(join(tmpdir(), 'sallyport-wrk-')), 'request.lua')
writeFileSync(
  script,
  `wrk.headers['Authorization'] = 'Bearer bench'
   local size = ${Number(values.body)}
   if size > 0 then
     wrk.method = 'POST'; wrk.body = string.rep('x', size); wrk.headers['Content-Type'] = 'text/plain'
   end`,
)

function load({ port, pid }: Running): Round {
  const before = cpuMicros(pid)
  const report = execFileSync(
    'taskset',
    [
      ...['-c', '1', 'wrk', '--latency', '-t1', `-c${values.connections}`, `-d${values.seconds}s`],
      ...['-s', script, `http://127.0.0.1:${port}/crm/v1/customers/42`],
    ],
    { encoding: 'utf8' },
  )
  const cpu = cpuMicros(pid) - before
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(report)
  return {
    perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(report)![1]),
    cpu: cpu / Number(/(\d+) requests in/.exec(report)![1]),
    p50: microseconds(/50% +(\S+)/.exec(report)![1]!),
    p99: microseconds(/99% +(\S+)/.exec(report)![1]!),
  }
}

function microseconds(text: string): number {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text)!
  return Number(value) * { us: 1, ms: 1000, s: 1_000_000 }[unit as 'us' | 'ms' | 's']
}

const results = new Map<string, Round[]>(Object.keys(contestants).map((name) => [name, []]))
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, start] of Object.entries(contestants)) {
      const running = await start()
      load(running)
      results.get(name)!.push(load(running))
      await running.stop()
    }
  }
} finally {
  await upstream.stop()
}

const of = (name: string, figure: keyof Round) =>
  median(results.get(name)!.map((round) => round[figure]))

console.log(
  `\n${values.connections} connections, ${values.rounds} rounds of ${values.seconds} s, medians, body of ${values.body} bytes\n\n` +
    `| forwarder | of nginx | requests/s | p50 / p99 µs | CPU µs |\n|---|---|---|---|---|`,
)
for (const name of Object.keys(contestants)) {
  console.log(
    `| ${name} | ${(of(name, 'perSecond') / of('nginx', 'perSecond')).toFixed(2)} | ${of(name, 'perSecond').toFixed(0)} | ` +
      `${of(name, 'p50').toFixed(0)} / ${of(name, 'p99').toFixed(0)} | ${of(name, 'cpu').toFixed(1)} |`,
  )
}
