/**
 * The allow path, side by side in one run: nginx as a plain proxy, nginx with auth_request to an nginx that says 204, a bare @fastify/http-proxy, and
 * Sallyport doing all of its work (JWT, 1,000 rules, durable audit in PostgreSQL).
 *
 *     taskset -c 1 node bench/http.ts [--rounds 3] [--seconds 5] [--connections 64] [--warm 15]
 *
 * Each proxy has core 0 for itself; the load generator (wrk), the upstream (nginx) and PostgreSQL share core 1. Prints the median of the rounds, as
 * ratios to nginx in the same rounds. CPU is the proxy's own, per request.
 */
import { execFile } from 'node:child_process'
import { parseArgs, promisify } from 'node:util'
import { startGatewayUnderTest } from './support/gateway.ts'
import { startNginx } from './support/nginx.ts'
import { cpuMicros, freePort, median, startOn, stop } from './support/process.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    // Seconds for each of them. A JIT compiler that is at work still counts as CPU of the proxy, and in the first seconds is half of it.
    warm: { type: 'string', default: '15' },
  },
})
const rounds = Number(values.rounds)
const run = promisify(execFile)

interface Contestant {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly headers?: readonly string[]
}

interface Round {
  readonly perSecond: number
  readonly cpu: number
  readonly p50: number
  readonly p99: number
}

async function load(
  { url, pid, headers = [] }: Contestant,
  seconds = values.seconds,
): Promise<Round> {
  const before = cpuMicros(pid)
  // Not execFileSync: this process also is the issuer of the tokens, and has to answer meanwhile.
  const { stdout: printed } = await run('taskset', [
    ...['-c', '1', 'wrk', '--latency', '-t1', `-c${values.connections}`, `-d${seconds}s`],
    ...headers.flatMap((header) => ['-H', header]),
    url,
  ])
  const cpu = cpuMicros(pid) - before
  const requests = Number(/(\d+) requests in/.exec(printed)![1])
  if (/Non-2xx/.test(printed)) {
    const [name, value] = headers[0]?.split(': ') ?? ['accept', '*/*']
    const response = await fetch(url, { headers: { [name!]: value! } })
    throw new Error(
      `${url} refused requests:\n${printed}\nand now: ${response.status} ${await response.text()}`,
    )
  }
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)![1]),
    cpu: cpu / requests,
    p50: microseconds(/^ +50% +(\S+)/m.exec(printed)![1]!),
    p99: microseconds(/^ +99% +(\S+)/m.exec(printed)![1]!),
  }
}

function microseconds(text: string): number {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text)!
  return Number(value) * { us: 1, ms: 1e3, s: 1e6 }[unit as 'us' | 'ms' | 's']
}

const [upstreamPort, nginxPort, authPort, proxyPort] = await Promise.all(
  [1, 2, 3, 4].map(() => freePort()),
)
const upstream = `http://127.0.0.1:${upstreamPort}`
const target = '/crm/v1/customers'

const origin = await startNginx(
  1,
  `server { listen 127.0.0.1:${upstreamPort} backlog=4096; location / { default_type application/json; return 200 '{"ok":true}'; } }`,
)
const pool = `upstream origin { server 127.0.0.1:${upstreamPort}; keepalive 128; }`
const pass = `proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";`
const nginx = await startNginx(
  0,
  `${pool} server { listen 127.0.0.1:${nginxPort}; location / { ${pass} } }`,
)
const guarded = await startNginx(
  0,
  `${pool} server { listen 127.0.0.1:${authPort};
     location / { auth_request /auth; ${pass} } location = /auth { internal; return 204; } }`,
)
const bare = await startOn(
  0,
  [
    'node',
    new URL('support/bare-http-proxy.ts', import.meta.url).pathname,
    String(proxyPort),
    upstream,
  ],
  /ready/,
)
const gateway = await startGatewayUnderTest({ core: 0, upstream, rules: 1000 })

const contestants: Contestant[] = [
  { name: 'nginx', url: `http://127.0.0.1:${nginxPort}${target}`, pid: nginx.pid },
  {
    name: 'nginx + auth_request (204)',
    url: `http://127.0.0.1:${authPort}${target}`,
    pid: guarded.pid,
  },
  {
    name: 'fastify + http-proxy, bare',
    url: `http://127.0.0.1:${proxyPort}${target}`,
    pid: bare.pid,
  },
  {
    name: 'sallyport, proven read',
    url: `${gateway.url}${target}`,
    pid: gateway.pid,
    headers: [`Authorization: Bearer ${gateway.token}`],
  },
  {
    name: 'sallyport, with an effect',
    url: `${gateway.url}/crm/v1/not-declared-as-read`,
    pid: gateway.pid,
    headers: [`Authorization: Bearer ${gateway.token}`],
  },
]

const results = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]))
try {
  for (const contestant of contestants) await load(contestant, values.warm)
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) results.get(contestant.name)!.push(await load(contestant))
  }
} finally {
  await gateway.stop()
  await stop(bare)
  for (const server of [nginx, guarded, origin]) await server.stop()
}

const of = (name: string, figure: keyof Round) =>
  median(results.get(name)!.map((round) => round[figure]))

console.log(
  `\n${values.connections} connections, ${rounds} rounds of ${values.seconds} s, medians\n\n` +
    `| shape | of nginx | of bare http-proxy | requests/s | p50 / p99 µs | CPU µs |\n|---|---|---|---|---|---|`,
)
for (const { name } of contestants) {
  const perSecond = of(name, 'perSecond')
  const ratio = (to: string) => (perSecond / of(to, 'perSecond')).toFixed(2)
  console.log(
    `| ${name} | ${ratio('nginx')} | ${ratio('fastify + http-proxy, bare')} | ${perSecond.toFixed(0)} | ` +
      `${of(name, 'p50').toFixed(0)} / ${of(name, 'p99').toFixed(0)} | ${of(name, 'cpu').toFixed(1)} |`,
  )
}
