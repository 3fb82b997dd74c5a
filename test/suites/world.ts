import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../support/free-port.ts'
import { PostgresServer } from '../support/postgres.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

/** A PostgreSQL of a suite's own, and how its clients are told to connect: as a superuser, as such suites expect. */
export interface World {
  readonly port: number
  readonly password: string
  close(): Promise<void>
}

export interface WorldOptions {
  /** Databases that the suite wants to find, or makes and connects to. The first is there when it starts. */
  readonly databases: readonly string[]
  /** Settings of the server, besides those that every world has. */
  readonly settings?: readonly string[]
  /** Whether clients connect to a gateway that allows everything, and not to the server itself. */
  readonly gateway: boolean
}

const settings = ['max_connections=200', 'timezone=UTC']
const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** The server, and where `gateway` says so a gateway in a process of its own in front of it. */
export async function startWorld({
  databases,
  settings: more = [],
  gateway,
}: WorldOptions): Promise<World> {
  const server = await PostgresServer.start([...settings, ...more])
  const port = Number(new URL(server.url('postgres')).port)
  await server.createDatabase(databases[0]!, 'template0')
  if (!gateway) return { port, password: 'not-asked-for', close: () => server.remove() }
  const control = await server.createDatabase('sallyport_control', 'template0')
  const front = await startGateway(port, databases, control)
  return {
    ...front,
    async close() {
      await front.close()
      await server.remove()
    },
  }
}

async function startGateway(
  database: number,
  databases: readonly string[],
  store: string,
): Promise<World> {
  const issuer = await startTokenIssuer()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-suite-'))
  const port = await freePort()
  mkdirSync(join(folder, 'policies'))
  writeFileSync(
    join(folder, 'policies', 'open.yaml'),
    'rules:\n  - { name: everything, on: suite, who: { group: agents }, then: allow }\n',
  )
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen:
  agents: { address: 127.0.0.1:0 }
  control: { address: 127.0.0.1:0 }
store: { url: '${store}' }
identity:
  issuers: [{ issuer: ${issuer.issuer}, audience: sallyport }]
resources:
  - name: suite
    protocol: postgres
    listen: 127.0.0.1:${port}
    trusted: true
    max_connections: 150
    max_connections_per_subject: 150
    upstream: { host: 127.0.0.1, port: ${database}, tls: disable, databases: [${databases.join(', ')}] }
    credential: { user: postgres, password: never-asked-for }
policies: ./policies
log: { level: warn }
`,
  )
  const child = spawn(process.execPath, [cli, 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await untilListening(child)
  const hours = 6
  const exp = Math.floor(Date.now() / 1000) + hours * 3600
  return {
    port,
    password: await issuer.mint({ groups: ['agents'], exp }),
    async close() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      await issuer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function untilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      if (/agents +http/.test(String(chunk))) resolve()
    })
    child.once('exit', (code) =>
      reject(new Error(`the gateway ended with ${code} before it listened`)),
    )
  })
}
