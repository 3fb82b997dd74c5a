import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../support/free-port.ts'
import { findPostgres, PostgresServer } from '../support/postgres.ts'
import { atEnd, storeKinds } from '../support/store.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const cli = at('src/cli/main.ts')

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly ports?: readonly string[]
  readonly [key: string]: unknown
}

/** As compose reads it, without a .env: `${NAME:-value}` is the value. */
const text = readFileSync(at('docker-compose.yml'), 'utf8')
const { services, volumes } = parse(text.replace(/\$\{\w+:-([^}]*)\}/g, '$1'), { merge: true }) as {
  services: Readonly<Record<'postgres' | 'migrate' | 'gateway' | 'demo', Service>>
  volumes: Readonly<Record<string, unknown>>
}
const { postgres, migrate, gateway, demo } = services

describe('docker-compose.yml', () => {
  test('whatever runs Sallyport can write nothing but its data, and has no privilege', () => {
    for (const service of [migrate, gateway, demo]) {
      expect(service).toMatchObject({
        image: 'sallyport',
        build: '.',
        read_only: true,
        tmpfs: '/tmp',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  test('is published on the loopback of this machine alone; the database is not at all', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports)
    expect(published).toHaveLength(4)
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/)
    expect(postgres.ports).toBeUndefined()
  })

  test('mounts what is there, names its volumes, and gives the configuration every variable', () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? [])
    const sources = mounts.map((mount) => mount.split(':')[0]!)
    for (const source of sources) {
      if (source.startsWith('./')) expect(() => readFileSync(at(source))).not.toThrow(/ENOENT/)
      else expect(volumes).toHaveProperty(source)
    }
    const wanted = [...configuration().matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)
    for (const { environment } of [migrate, gateway])
      expect(Object.keys(environment)).toEqual(expect.arrayContaining(wanted))
  })

  test('the gateway is no owner, and starts when the owner has migrated', () => {
    expect(new URL(gateway.environment['DATABASE_URL']!).username).toBe('gateway')
    expect(new URL(migrate.environment['DATABASE_URL']!).username).toBe(
      postgres.environment['POSTGRES_USER'],
    )
    expect(gateway['depends_on']).toEqual({
      migrate: { condition: 'service_completed_successfully' },
    })
  })
})

function configuration(): string {
  return readFileSync(at('examples/compose/sallyport.yaml'), 'utf8')
}

describe.runIf(storeKinds.includes('postgres'))('its services, as processes', () => {
  test('make the quickstart on PostgreSQL, where the gateway is no owner', async () => {
    const server = await PostgresServer.start()
    atEnd(() => server.remove())
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-compose-'))
    atEnd(async () => rmSync(folder, { recursive: true, force: true }))

    // postgres: what its image does with the script, as its superuser.
    await onServer(server, 'ALTER ROLE owner SUPERUSER')
    await onServer(server, 'CREATE DATABASE sallyport OWNER owner')
    const { port: databasePort } = new URL(server.url('sallyport'))
    execFileSync('sh', [at('examples/compose/roles.sh')], {
      env: {
        ...postgres.environment,
        PATH: `${findPostgres()}:/usr/bin:/bin`,
        PGHOST: '127.0.0.1',
        PGPORT: databasePort,
      },
    })

    // The ports of the files, as free ones of this machine.
    const free = new Map<string, string>()
    for (const port of ['6432', '8080', '8081', '8082', '8083', '8084'])
      free.set(port, String(await freePort()))
    const moved = (words: string) =>
      words
        .replace(/\b(6432|808[0-4])\b/g, (port) => free.get(port)!)
        .replaceAll('0.0.0.0', '127.0.0.1')
    const [agents, control] = [
      `http://127.0.0.1:${free.get('8080')}`,
      moved('http://127.0.0.1:8081'),
    ]
    const file = join(folder, 'sallyport.yaml')
    writeFileSync(file, moved(configuration()).replace('/data/', `${folder}/`))
    cpSync(at('policies'), join(folder, 'policies'), { recursive: true })

    const environmentOf = ({ environment }: Service) => ({
      ...environment,
      DATABASE_URL: environment['DATABASE_URL']!.replace('@postgres', `@127.0.0.1:${databasePort}`),
    })
    const run = (service: Service, argv: readonly string[]) =>
      spawn(process.execPath, [cli, ...argv], { cwd: folder, env: environmentOf(service) })

    const migrating = run(migrate, ['migrate', '--config', file])
    expect((await once(migrating, 'exit'))[0]).toBe(0)

    const served = run(gateway, ['serve', '--config', file])
    const shown = run(demo, [
      ...demo.command!.map(moved),
      ...['--identity-port', free.get('8082')!, '--api-port', free.get('8083')!],
      ...['--database-port', free.get('8084')!, '--orders-port', free.get('6432')!],
      ...['--agents-url', agents, '--control-url', control],
    ])
    atEnd(async () => {
      for (const child of [served, shown]) child.kill('SIGKILL')
    })
    await said(served.stderr, 'console')
    const lines = (await said(shown.stdout, 'docker compose down')).split('\n')

    // What it prints, with `docker compose exec -T demo` as a shell in the folder of its volume.
    const paste = (line: string) => {
      const command = line.replaceAll(/docker compose exec (-T )?demo /g, '').replace('-i', '-s')
      return execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' })
    }
    const [allowed, denied, held] = lines.filter((line) => line.startsWith('curl '))
    expect(JSON.parse(paste(allowed!))).toMatchObject({ name: 'Ada Lovelace' })
    expect(JSON.parse(paste(denied!))).toMatchObject({ status: 403 })
    const pending = JSON.parse(paste(held!.replace('wait=300', 'wait=0')))
    expect(pending).toMatchObject({ status: 403, task: { status: 'pending' } })

    const rows = lines.find((line) => line.startsWith('PGPASSWORD='))!
    expect(paste(rows)).toContain('o-1001')

    const metrics = await fetch(`${control}/metrics`, {
      headers: { authorization: `Bearer ${gateway.environment['METRICS_TOKEN']}` },
    })
    expect(await metrics.text()).toContain('sallyport_approvals_open{state="pending"} 1')

    for (const child of [served, shown]) {
      child.kill('SIGTERM')
      expect((await once(child, 'exit'))[0]).toBe(0)
    }
  })
})

async function onServer(server: PostgresServer, sql: string): Promise<void> {
  const client = new Client({ connectionString: server.url('postgres', 'postgres') })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** What was written until these words came. */
function said(stream: Readable, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    stream.on('data', (chunk) => {
      all += String(chunk)
      if (all.includes(words)) resolve(all)
    })
    stream.on('end', () => reject(new Error(`it ended without saying ${words}:\n${all}`)))
  })
}
