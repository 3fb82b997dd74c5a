import { expect, test } from 'vitest'
import { loadPolicies, readPolicyFolder } from '../../src/policy/load.ts'
import { runPolicyTests } from '../../src/policy/test-runner.ts'

const folder = new URL('../../policies', import.meta.url).pathname
const known = {
  resources: [
    { name: 'crm', protocol: 'http', facts: [] },
    { name: 'orders-db', protocol: 'postgres', facts: ['impact.rows'] },
  ],
}
const policies = await loadPolicies(folder, known)
const { tests } = await readPolicyFolder(folder)
const results = runPolicyTests(tests, policies)

test.each(results.map((result) => [result.name, result] as const))(
  'the policies that come with Sallyport: %s',
  (_, { differences }) => {
    expect(differences).toEqual([])
  },
)

test('each of their rules is tested', () => {
  const tested = new Set(results.flatMap(({ explanation }) => explanation.decision.rules))
  expect([...tested].toSorted()).toEqual(policies.rules.map(({ name }) => name))
})
