import { expect, test } from 'vitest'
import { policyJsonSchema } from '../../src/policy/schema.ts'

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly [key: string]: unknown
}

const schema = policyJsonSchema() as Schema

function* properties(node: unknown, path: string): Generator<readonly [string, Schema]> {
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    if (key === 'if' || key === 'else') continue
    if (key === 'properties') {
      for (const [name, property] of Object.entries(value as Record<string, Schema>)) {
        yield [`${path}.${name}`, property]
        yield* properties(property, `${path}.${name}`)
      }
    } else yield* properties(value, path)
  }
}

test('every key says in an editor what it does', () => {
  const all = [...properties(schema, '')]
  expect(all.length).toBeGreaterThan(40)
  expect(all.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([])
})

test('an editor knows that a hold rule needs an approval, and that the others have none', () => {
  const { rules } = schema.properties!
  expect(rules).toMatchObject({
    items: {
      if: { properties: { then: { const: 'hold' } } },
      then: { required: ['approval'] },
      else: { properties: { approval: false } },
    },
  })
})
