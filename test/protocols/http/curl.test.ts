import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind } from './gateway.ts'

// The client that most people try first. Where there is none, there is nothing to try.
const installed = (() => {
  try {
    return execFileSync('curl', ['--version']).length > 0
  } catch {
    return false
  }
})()

async function curl(url: string, ...options: string[]): Promise<string> {
  const args = ['-sS', '--noproxy', '*', '-H', 'Authorization: Bearer alice', ...options, url]
  const { stdout } = await promisify(execFile)('curl', args, { timeout: 60_000 })
  return stdout
}

test
  .skipIf(!installed)
  .for([
    ['--http2'],
    ['--http1.0'],
    ['-X', 'PATCH', '-d', 'a=1'],
    ['--data-binary', '@package-lock.json'],
    ['-H', 'Transfer-Encoding: chunked', '-d', 'a=1'],
    ['-F', 'file=@package.json'],
    ['-H', 'Expect: 100-continue', '-d', 'a=1'],
    ['--compressed', '--path-as-is'],
  ])('curl %j', async (options) => {
  const { gateway } = await behind(({ line }) => ok(`${line.split(' ')[0]} reached`))
  expect(await curl(`${gateway.url}/crm/v1`, ...options)).toMatch(/^(GET|POST|PATCH) reached$/)
})

test.skipIf(!installed)(
  'curl does not normalise what it is told not to, and the gateway refuses it',
  async () => {
    const { upstream, gateway } = await behind()
    const answer = await curl(`${gateway.url}/crm/v1/../admin`, '--path-as-is')
    expect(JSON.parse(answer)).toMatchObject({ status: 400, detail: 'The path has a dot segment.' })
    expect(upstream.connections).toEqual([])
  },
)
