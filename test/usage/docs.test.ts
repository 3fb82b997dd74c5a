import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../../src/config/schema.ts'
import { compilePolicies } from '../../src/policy/compile.ts'

const text = readFileSync(new URL('../../docs/usage.md', import.meta.url), 'utf8')
const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => yaml!)

test('the data sets and the rules of the manual are valid', () => {
  const declared = blocks.flatMap((yaml) => (yaml.includes('datasets:') ? [parse(yaml)] : []))
  const datasets = configSchema.shape.datasets.parse(
    (declared[0] as { datasets: unknown[] }).datasets,
  )
  expect(datasets.map(({ name }) => name)).toEqual(['customers', 'salaries', 'llm'])
  const documents = blocks
    .filter((yaml) => yaml.startsWith('rules:'))
    .map((text, i) => ({ file: `${i}.yaml`, text }))
  const resources = [
    { name: 'orders-db', protocol: 'postgres', facts: [] },
    { name: 'openai', protocol: 'http', facts: [] },
  ]
  const { rules } = compilePolicies(documents, { resources, datasets })
  expect(rules).toHaveLength(4)
})
