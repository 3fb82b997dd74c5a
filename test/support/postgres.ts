import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { freePort } from './free-port.ts'

const debian = '/usr/lib/postgresql'

/** Folder of the newest PostgreSQL's programs on this machine, or `null`. */
export function findPostgres(): string | null {
  if (!existsSync(debian)) return null
  const versions = readdirSync(debian).toSorted((a, b) => Number(b) - Number(a))
  const folders = versions.map((version) => join(debian, version, 'bin'))
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

/** A real PostgreSQL on loopback, in a folder of its own. It ends with this process, however this one ends. */
export class PostgresServer {
  readonly #bin: string
  readonly #folder: string
  readonly #port: number
  readonly #settings: readonly string[]
  // Owned by start() and stop().
  #process: ChildProcess | null = null

  private constructor(bin: string, folder: string, port: number, settings: readonly string[]) {
    this.#bin = bin
    this.#folder = folder
    this.#port = port
    this.#settings = settings
  }

  /** `within`: the folder for its own. `wal`: a folder for its write-ahead log, if not in there, and how many MiB a file of that has. */
  static async start(
    settings: readonly string[] = [],
    { within = tmpdir(), wal }: { within?: string; wal?: { within: string; segment: number } } = {},
  ): Promise<PostgresServer> {
    const bin = findPostgres()
    if (!bin) {
      throw new Error(
        `There is no PostgreSQL in ${debian}. Install the package postgresql, or set SALLYPORT_TEST_STORE=embedded.`,
      )
    }
    const folder = mkdtempSync(join(within, 'sallyport-postgres-'))
    const { uid, gid } = serverUser()
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    const initdb = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8']
    const quick = ['--no-locale', '--no-sync']
    const log = wal ? ['-X', join(wal.within, 'wal'), `--wal-segsize=${wal.segment}`] : []
    execFileSync(join(bin, 'initdb'), [...initdb, ...quick, ...log], {
      ...serverUser(),
      cwd: folder,
      stdio: 'pipe',
    })
    const server = new PostgresServer(bin, folder, await freePort(), settings)
    await server.start()
    await server.#as('postgres', 'postgres', 'CREATE ROLE owner LOGIN CREATEROLE')
    return server
  }

  /** As the user who owns the databases made here, and nothing else: not a superuser. */
  url(database: string, user = 'owner'): string {
    return `postgres://${user}@127.0.0.1:${this.#port}/${database}`
  }

  async createDatabase(name: string, template = 'template1'): Promise<string> {
    const sql = `CREATE DATABASE ${name} OWNER owner TEMPLATE ${template}`
    await this.#as('postgres', 'postgres', sql)
    return this.url(name)
  }

  async start(more: readonly string[] = []): Promise<void> {
    const loopback = ['listen_addresses=127.0.0.1', 'unix_socket_directories=']
    const settings = [...loopback, ...this.#settings, ...more]
    const postgres = [join(this.#bin, 'postgres'), '-D', join(this.#folder, 'data')]
    postgres.push('-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting]))
    // The shell stops the server when its input ends: also when this process is killed.
    const untilInputEnds = '"$@" & server=$!; cat; kill -QUIT $server; wait $server'
    this.#process = spawn('sh', ['-c', untilInputEnds, 'sh', ...postgres], {
      ...serverUser(),
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#as('postgres', 'postgres', 'SELECT 1')
      } catch (error) {
        // A minute: a server that was killed repairs itself first, and machines are not always idle.
        if (attempt === 1_200) throw error
        await sleep(50)
      }
    }
  }

  /** Immediately: no checkpoint, no goodbye, as if its machine had lost power, except for what the disk has. */
  async stop(): Promise<void> {
    const shell = this.#process
    if (!shell) return
    this.#process = null
    const exit = once(shell, 'exit')
    shell.stdin!.end()
    await exit
  }

  /** Nothing of it does anything any more, and no connection ends: a machine that hangs. Until `goOn`. */
  freeze(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGSTOP')
  }

  goOn(): void {
    for (const pid of this.#pids()) process.kill(pid, 'SIGCONT')
  }

  /** The server's own, first, and those that it has started. */
  #pids(): number[] {
    const [pid] = readFileSync(join(this.#folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return [pid!, ...children.trim().split(' ')].filter(Boolean).map(Number)
  }

  /** Stops it and starts it as a standby that is promoted: another timeline of the same data. */
  async promoteAnew(): Promise<void> {
    await this.stop()
    writeFileSync(join(this.#folder, 'data', 'standby.signal'), '')
    await this.start()
    await this.#as('postgres', 'postgres', 'SELECT pg_promote()')
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #as(user: string, database: string, sql: string): Promise<void> {
    const client = new Client({ connectionString: this.url(database, user) })
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
}

/** PostgreSQL refuses to run as root. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
