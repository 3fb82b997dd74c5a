import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type Gateway } from '../gateway.ts'
import { startOrdinaryApi, type OrdinaryApi } from './ordinary-api.ts'

const python = '/usr/bin/python3'
const session = fileURLToPath(new URL('../../../clients/http_session.py', import.meta.url))

let api: OrdinaryApi
let gateway: Gateway
beforeAll(async () => {
  api = await startOrdinaryApi()
  gateway = await startGateway([{ upstream: api.url }])
})
afterAll(async () => {
  await gateway.close()
  await api.close()
})

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    env: { PATH: process.env['PATH'] },
  })
  return stdout
}

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.each([
  ['requests', 'requests'],
  ['httpx', 'httpx'],
  ['aiohttp', 'aiohttp'],
  ['urllib', 'urllib'],
])('%s', (client, module) => {
  test('sees no difference', { timeout: 30_000 }, async ({ skip }) => {
    if (!has(python, '-c', `import ${module}`)) skip(`python3-${module} is not installed`)
    const direct = await run(python, [session, client, api.url])
    expect(direct.split('\n').length).toBeGreaterThan(5)
    expect(await run(python, [session, client, `${gateway.url}/crm`])).toBe(direct)
  })
})

describe('wget', () => {
  test('sees no difference', async ({ skip }) => {
    if (!has('wget', '--version')) skip('wget is not installed')
    const wget = (base: string) =>
      run('wget', [
        ...['-qO-', '--header', 'Authorization: Bearer alice', '--no-hsts', '--no-netrc'],
        ...['/v1/found', '/v1/pages', '/v1/stream', '/v1/gzip'].map((path) => base + path),
      ])
    expect(await wget(`${gateway.url}/crm`)).toBe(await wget(api.url))
  })
})
