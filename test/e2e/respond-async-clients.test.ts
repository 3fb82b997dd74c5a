import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'

const manual = readFileSync(new URL('../../docs/agents.md', import.meta.url), 'utf8')
const chapter = manual.slice(manual.indexOf('## Come back for the answer'))

/** What the manual tells people to run, against this gateway, and not so patiently. */
function example(language: string, url: string): string {
  const [, code] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(chapter)!
  return code!
    .replaceAll('http://gateway:8080', url)
    .replace('5000', '50')
    .replace('sleep(5)', 'sleep(0.05)')
}

const has = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let upstream: CountingUpstream
let gateway: TestGateway
let token: string

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
  token = await gateway.agentToken()
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const run = async (command: string, ...args: string[]): Promise<string> => {
  const env = { ...process.env, AGENT_TOKEN: token }
  return (await promisify(execFile)(command, args, { env, timeout: 60_000 })).stdout
}

describe('the manual’s examples of respond-async', () => {
  it('work with fetch of Node', async () => {
    const code = `${example('js', gateway.agentsUrl)}\nconsole.log(response.status, await response.text())`
    const ran = run(process.execPath, '--input-type=module', '-e', code)
    await gateway.vote('dana', await gateway.pending())
    expect(await ran).toBe('201 {"did":"POST /v1/refunds"}\n')
  })

  it.skipIf(!has('python3', '-c', 'import requests'))('work with Python’s requests', async () => {
    const code = `token = ${JSON.stringify(token)}\n${example('python', gateway.agentsUrl)}\nprint(answer.status_code, answer.text)`
    const ran = run('python3', '-c', code)
    await gateway.vote('dana', await gateway.pending())
    expect(await ran).toBe('201 {"did":"POST /v1/refunds"}\n')
  })

  it.skipIf(!has('curl', '--version'))('work with curl', async () => {
    const [first, second] = example('sh', gateway.agentsUrl).split(/\n\n/)
    const accepted = await run('sh', '-c', first!)
    expect(accepted).toMatch(/^HTTP\/1\.1 202 Accepted\r$/m)
    expect(accepted).toMatch(/^Preference-Applied: respond-async\r$/m)
    const [, id] = /^Location: \/access\/v1\/requests\/(\S+)\r$/m.exec(accepted)!
    await gateway.vote('dana', await gateway.pending())
    const fetch = second!.replace(/requests\/[0-9a-f-]{36}/, `requests/${id}`)
    await expect
      .poll(() => run('sh', '-c', fetch), { timeout: 20_000, interval: 100 })
      .toMatch(/^HTTP\/1\.1 201 Created\r[^]*\{"did":"POST \/v1\/refunds"\}$/m)
  })
})
