import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresServer } from '../../test/support/postgres.ts'
import { startTokenIssuer } from '../../test/support/token-issuer.ts'
import { freePort, startOn, stop } from './process.ts'

export interface GatewayUnderTest {
  readonly url: string
  readonly pid: number
  /** Of an agent that the policies allow everything that is measured. */
  readonly token: string
  stop(): Promise<void>
}

interface Options {
  readonly core: number
  readonly upstream: string
  /** Rules in force besides those that allow what is measured. */
  readonly rules: number
}

/** The gateway as it is run in production: a process of its own, PostgreSQL with fsync, tokens of an issuer, policies in files. */
export async function startGatewayUnderTest({
  core,
  upstream,
  rules,
}: Options): Promise<GatewayUnderTest> {
  const postgres = await PostgresServer.start(['shared_buffers=128MB', 'max_wal_size=4GB'])
  const issuer = await startTokenIssuer()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies', 'bench.yaml'), policies(rules))
  const agents = await freePort()
  writeFileSync(
    join(folder, 'sallyport.yaml'),
    `listen:
  agents: { address: 127.0.0.1:${agents} }
  control: { address: 127.0.0.1:0 }
store: { url: '${await postgres.createDatabase('bench')}' }
identity:
  issuers: [{ issuer: ${issuer.issuer}, audience: sallyport }]
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: ${upstream}, read: [GET /v1/customers] }
policies: ./policies
log: { level: warn }
`,
  )
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
  const child = await startOn(
    core,
    [process.execPath, main, 'serve', '--config', join(folder, 'sallyport.yaml')],
    /agents +http/,
  )
  const token = await issuer.mint({ groups: ['agents'], exp: Math.floor(Date.now() / 1000) + 3600 })
  return {
    url: `http://127.0.0.1:${agents}`,
    pid: child.pid,
    token,
    async stop() {
      await stop(child)
      await issuer.close()
      await postgres.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function policies(others: number): string {
  const rule = (name: string, path: string, group: string) =>
    `  - { name: ${name}, who: { group: ${group} }, on: crm, what: { http: { method: GET, path: ${path} } }, then: allow }\n`
  let text = `rules:\n${rule('measured', '/v1/**', 'agents')}`
  for (let index = 0; index < others; index++) {
    text += rule(`other-${index}`, `/v1/area-${index}/:id`, `group-${index}`)
  }
  return text
}
