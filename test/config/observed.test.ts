import { expect, test } from 'vitest'
import { observedResources } from '../../src/config/observed.ts'
import { configSchema } from '../../src/config/schema.ts'

const resource = (name: string, mode?: string) => ({
  name,
  protocol: 'http',
  match: { prefix: `/${name}` },
  upstream: 'https://upstream.test',
  ...(mode && { mode }),
})
const resources = [resource('crm'), resource('shop', 'enforce'), resource('wiki', 'observe')]

test.each([
  ['nothing is said', {}, ['wiki']],
  ['mode: enforce', { mode: 'enforce' }, ['wiki']],
  ['mode: observe', { mode: 'observe' }, ['crm', 'wiki']],
])('where %s, what a resource says of itself counts', (_said, top, expected) => {
  expect(observedResources(configSchema.parse({ ...top, resources }))).toEqual(expected)
})

test('everything is enforced where nobody says otherwise', () => {
  expect(observedResources(configSchema.parse({ resources: [resource('crm')] }))).toEqual([])
})
