import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { gatewayClient, type GatewayClient } from '../support/gateway-client.ts'
import { createTestDatabase, storeKinds } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

// There is no Docker where the tests run. This makes the image's /app in a folder, from the Dockerfile's own words, and runs it as the image's user:
// compiled, with production dependencies alone, and nothing around it that could be found by accident.

const root = fileURLToPath(new URL('../../', import.meta.url))
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const [, final] = dockerfile.split(/^FROM .*$/m).slice(1)

const image = mkdtempSync(join(tmpdir(), 'sallyport-image-'))
const app = join(image, 'app')
const data = join(image, 'data')
const etc = join(image, 'etc')
const main = join(app, 'dist/cli/main.js')

let issuer: TokenIssuer
let upstream: CountingUpstream

beforeAll(async () => {
  issuer = await startTokenIssuer()
  upstream = await startCountingUpstream()
  for (const [, source, target] of final!.matchAll(
    /^COPY (?:--from=build )?(\S+) \/app\/(\S+)$/gm,
  )) {
    const from = source!.replace(/^\/app\//, '')
    if (from === 'node_modules') copyProductionDependencies()
    else if (from === 'dist') build()
    else cpSync(join(root, from), join(app, target!), { recursive: true })
  }
  mkdirSync(join(etc, 'policies'), { recursive: true })
  mkdirSync(data)
  for (const [name, text] of Object.entries(policies))
    writeFileSync(join(etc, 'policies', name), text)
  writeFileSync(join(etc, 'sallyport.yaml'), configuration(`data: ${data}`))
  chmodSync(image, 0o755)
  if (asRoot) chownSync(data, user.uid, user.gid)
}, 120_000)

afterAll(async () => {
  await upstream.close()
  await issuer.close()
  rmSync(image, { recursive: true, force: true })
})

const asRoot = process.getuid?.() === 0
const [uid, gid] = /^USER (\d+):(\d+)$/m.exec(final!)!.slice(1).map(Number)
const user = { uid: uid!, gid: gid! }

/** What `npm ci --omit=dev --omit=optional` would install, by the lock file: links where that is possible, which costs nothing. */
function copyProductionDependencies(): void {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>
  }
  const wanted = Object.entries(lock.packages)
    .filter(([path, { dev, optional, devOptional }]) => path && !dev && !optional && !devOptional)
    .map(([path]) => path)
    // What is inside of another package comes with that one.
    .filter((path) => path.lastIndexOf('node_modules/') === 0)
  expect(wanted.length).toBeGreaterThan(80)
  for (const path of wanted) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    copy(join(root, path), join(app, path))
  }
}

function copy(from: string, to: string): void {
  try {
    execFileSync('cp', ['-a', '-l', from, to], { stdio: 'ignore' })
  } catch {
    // Another file system cannot be linked to.
    execFileSync('cp', ['-a', from, to])
  }
}

/** `npm run build`; the pages are built already, by `npm test`. */
function build(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const project = join(root, 'tsconfig.build.json')
  execFileSync(process.execPath, [tsc, '-p', project, '--outDir', join(app, 'dist')])
  cpSync(join(root, 'dist/pages'), join(app, 'dist/pages'), { recursive: true })
}

function configuration(store: string): string {
  return `
listen: { agents: { address: 127.0.0.1:0 }, control: { address: 127.0.0.1:0 } }
${store}
secrets: { file: ${data}/secrets.json }
identity:
  issuers:
    - issuer: ${issuer.issuer}
      audience: sallyport
      claims: { groups: groups, owner: agent_owner, kind: kind }
  login: { issuer: ${issuer.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers }, auditor: { group: audit }, admin: { group: platform } }
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: ${upstream.url}, read: ['GET /v1/**'] }
policies: ./policies
`
}

function run(
  file: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): ChildProcess {
  // Where the image has it: not below the sources, and with none of their variables.
  return spawn(process.execPath, [file, ...argv], {
    cwd: data,
    env: { PATH: '/usr/bin:/bin', NODE_ENV: 'production', HOME: '/nonexistent', ...env },
    ...(asRoot && user),
  })
}

async function outcome(child: ChildProcess): Promise<{ code: number; output: string }> {
  let output = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  child.stderr!.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, output }
}

interface Serving {
  readonly process: ChildProcess
  readonly client: GatewayClient
  readonly controlUrl: string
}

/** Resolves when it says where it is. */
async function serve(file: string): Promise<Serving> {
  const child = run(main, ['serve', '--config', file])
  let said = ''
  const addresses = await new Promise<{ agentsUrl: string; controlUrl: string }>(
    (resolve, reject) => {
      const heard = (chunk: Buffer): void => {
        said += String(chunk)
        const [, agentsUrl, controlUrl] = /^agents +(\S+)\nconsole +(\S+)$/m.exec(said) ?? []
        if (agentsUrl && controlUrl) resolve({ agentsUrl, controlUrl })
      }
      child.stdout!.on('data', heard)
      child.stderr!.on('data', heard)
      child.once('exit', () => reject(new Error(said)))
    },
  )
  const client = gatewayClient(issuer, () => addresses)
  return { process: child, client, controlUrl: addresses.controlUrl }
}

describe('the image, without an engine', () => {
  let gateway: Serving
  let before: string[]

  beforeAll(async () => {
    before = everything(app)
    gateway = await serve(join(etc, 'sallyport.yaml'))
  })

  afterAll(() => void gateway.process.kill('SIGKILL'))

  test('serves agents, people and probes', async () => {
    const { client, controlUrl } = gateway
    expect((await client.agent('/crm/v1/customers')).status).toBe(200)
    expect((await client.agent('/crm/v1/customers/c-1', { method: 'DELETE' })).status).toBe(403)
    expect(await client.auditLog()).not.toHaveLength(0)
    const page = await fetch(controlUrl, { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('<title>Sallyport')
    const metrics = await (await fetch(`${controlUrl}/metrics`)).text()
    expect(metrics).toContain('sallyport_store_info{kind="embedded"} 1')
  })

  test('its health check says yes, and no where nobody answers', async () => {
    const check = join(app, 'bin/healthcheck.js')
    const url = `${gateway.controlUrl}/readyz`
    expect(await outcome(run(check, [], { SALLYPORT_READY_URL: url }))).toEqual({
      code: 0,
      output: '{"status":"ok"}',
    })
    const nowhere = await outcome(run(check, [], { SALLYPORT_READY_URL: 'http://127.0.0.1:1/' }))
    expect(nowhere.code).toBe(1)
    expect(nowhere.output).toContain('does not answer')
  })

  test('`sallyport` works in it, with the policies and the schemas that are shipped', async () => {
    const { code, output } = await outcome(run(join(app, 'bin/sallyport.js'), ['policy', 'test']))
    expect(output).toMatch(/^\d+ passed, 0 failed$/m)
    expect(code).toBe(0)
  })

  test('has what reads large policies in a thread of its own', async () => {
    const large = join(etc, 'large')
    mkdirSync(large)
    const rules = Array.from(
      { length: 1_000 },
      (_, n) =>
        `  - { name: reads-${n}, on: crm, what: { http: { path: /v1/items-${n} } }, then: allow }\n`,
    )
    writeFileSync(join(large, 'rules.yaml'), `rules:\n${rules.join('')}`)
    const checked = await outcome(run(main, ['policy', 'check', large]))
    expect(checked).toMatchObject({ code: 0, output: expect.stringMatching(/^rules +1000$/m) })
  })

  test.runIf(storeKinds.includes('postgres'))(
    'has what works behind the audit log in a thread of its own',
    async () => {
      const file = join(etc, 'postgres.yaml')
      writeFileSync(file, configuration(`store: { url: '${await createTestDatabase()}' }`))
      const { client, process: replica } = await serve(file)
      // Nobody else signs.
      const signed = () => client.person('dana', '/api/audit/checkpoint')
      await expect.poll(async () => (await signed()).status).toBe(200)
      replica.kill('SIGTERM')
      expect(await once(replica, 'exit')).toEqual([0, null])
    },
  )

  test('ends well, and has written to /data alone', async () => {
    gateway.process.kill('SIGTERM')
    const [code] = (await once(gateway.process, 'exit')) as [number]
    expect(code).toBe(0)
    expect(everything(app)).toEqual(before)
    expect(readdirSync(data).toSorted()).toContain('secrets.json')
    if (asRoot) expect(lstatSync(join(data, 'secrets.json')).uid).toBe(user.uid)
  })
})

/** Every file with its size and when it was written, besides the dependencies, which nobody could write to anyway. */
function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('node_modules'))
    .map((path) => {
      const { size, mtimeMs } = lstatSync(join(folder, path))
      return `${path} ${size} ${mtimeMs}`
    })
    .toSorted()
}

test('what the Dockerfile copies is what .dockerignore lets through, and is there', () => {
  const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) =>
    sources!.split(' '),
  )
  expect(copied.toSorted()).toEqual(allowed.toSorted())
  expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('the image runs as nobody special, on the Node that the tests run on', () => {
  expect(dockerfile).toContain(`ARG NODE=node:${process.versions.node}-`)
  expect(dockerfile.match(/^FROM .*$/gm)).toEqual(['FROM ${NODE} AS build', 'FROM ${NODE}'])
  expect(uid).toBeGreaterThan(0)
  expect(final).toMatch(/^ENTRYPOINT \["node", "--liftoff-only", "\/app\/dist\/cli\/main\.js"\]$/m)
})
