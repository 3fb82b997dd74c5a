import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

const testsOf = (refunds: string) => `subjects:
  support: { kind: agent, groups: [agents], owner: priya }
tests:
  - { name: reads, subject: support, on: crm, http: { method: GET, path: /v1/orders }, decision: allow }
  - { name: refunds, subject: support, on: crm, http: { method: POST, path: /v1/refunds }, decision: ${refunds} }
`

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies: {
      'crm.yaml':
        'rules: [{ name: agents-read, who: { group: agents }, on: crm, what: { http: { method: GET } }, then: allow }]',
      'crm.test.yaml': testsOf('allow'),
    },
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const results = async () =>
  (await (await gateway.person('dana', '/api/policies/tests')).json()) as {
    results: { name: string; passed: boolean; differences: string[]; line: number }[]
    mistakes: { file: string; message: string }[]
  }

test('the tests beside the policies are run against those in force, and say what comes out otherwise', async () => {
  const { results: all, mistakes } = await results()
  expect(mistakes).toEqual([])
  expect(all).toMatchObject([
    { name: 'reads', passed: true, differences: [] },
    { name: 'refunds', passed: false },
  ])
  expect(all[1]!.differences.join()).toContain('deny')
})

test('tests that cannot be read say where and why', async () => {
  writeFileSync(join(gateway.folder, 'policies', 'crm.test.yaml'), testsOf('perhaps'))
  const { results: all, mistakes } = await results()
  expect(all).toEqual([])
  expect(mistakes[0]!.file).toContain('crm.test.yaml')
})
