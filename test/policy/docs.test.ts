import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/policy/compile.ts'
import { runPolicyTests } from '../../src/policy/test-runner.ts'
import { resources } from './support.ts'

const manual = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8')
const examples = [...manual.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text!)
const documents = (start: RegExp) =>
  examples
    .filter((text) => start.test(text))
    .map((text, index) => ({ file: `docs/policies.md example ${index}`, text }))

test('the examples of the manual are valid, and its tests pass', () => {
  const channels = ['slack:', 'webhook:pager']
  const policies = compilePolicies(documents(/^rules:/m), { resources, channels })
  expect(policies.rules).toHaveLength(7)
  const results = runPolicyTests(documents(/^tests:/m), policies)
  expect(results.map(({ differences }) => differences)).toEqual([[], []])
})
