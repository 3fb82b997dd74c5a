import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { Unknown, type Attribute } from '../../src/core/action.ts'
import { DataSets } from '../../src/usage/data-sets.ts'

const datasets = configSchema.shape.datasets.parse([
  {
    name: 'customers',
    classes: ['pii'],
    tables: [{ on: 'db', table: 'public.customers' }],
    routes: [
      { on: 'crm', route: 'GET /v1/customers/**' },
      { on: 'crm', route: '* /v1/exports/*.csv' },
    ],
  },
  {
    name: 'secrets',
    classes: ['pii', 'secret'],
    tables: [
      { on: 'db', table: 'public.customers', columns: ['ssn', 'email'] },
      { on: 'db', table: 'vault.*' },
    ],
  },
])
const known = new DataSets(datasets)

const inDatabase = (sql: Record<string, Attribute>, resource = 'db') =>
  known.touchedBy({ resource, attributes: { sql } })
const overHttp = (method: string, path: Attribute, resource = 'crm') =>
  known.touchedBy({ resource, attributes: { http: { method, path } } })?.datasets ?? []

describe('what a statement touches', () => {
  test('tables and columns by their names, and the data sets that they are in', () => {
    const tables = ['public.orders', 'public.customers']
    expect(inDatabase({ tables, columns: ['public.customers.name'] })).toEqual({
      datasets: ['customers'],
      classes: ['pii'],
      tables: ['public.customers', 'public.orders'],
      columns: ['public.customers.name'],
    })
    expect(
      inDatabase({ tables: ['public.customers'], columns: ['public.customers.ssn'] }),
    ).toMatchObject({ datasets: ['customers', 'secrets'], classes: ['pii', 'secret'] })
    expect(inDatabase({ tables: ['vault.keys'], columns: [] })?.datasets).toEqual(['secrets'])
    expect(inDatabase({ tables: ['public.vault'], columns: [] })?.datasets).toEqual([])
  })

  test('also what nobody named: partitions, and what a deletion cascades to', () => {
    const reached = ['public.customers', 'public.orders']
    const touched = inDatabase({ tables: ['public.orders'], reached, columns: [] })
    expect(touched).toMatchObject({ datasets: ['customers'], tables: ['public.orders'] })
  })

  test('what cannot be told is taken for all that is there', () => {
    const unknown = new Unknown('the text could not be read')
    const all = { datasets: ['customers', 'secrets'] }
    expect(inDatabase({ tables: unknown, columns: unknown })).toMatchObject(all)
    expect(inDatabase({ tables: ['public.customers'], columns: unknown })).toMatchObject(all)
    expect(inDatabase({ tables: unknown, columns: unknown }, 'other-db')).toBeNull()
  })

  test('nothing that has a name is nothing; of very much the beginning is named', () => {
    expect(inDatabase({ tables: [], columns: [] })).toBeNull()
    const columns = Array.from({ length: 1_600 }, (_, i) => `public.wide.c${i}`)
    expect(inDatabase({ tables: ['public.wide'], columns })?.columns).toHaveLength(100)
  })
})

describe('what a request touches', () => {
  test.each([
    ['GET', '/v1/customers'],
    ['GET', '/v1/customers/17/notes'],
    ['DELETE', '/v1/exports/all.csv'],
    // As upstreams may read them: none of it is a way around being counted.
    ['GET', '/V1/Customers/17'],
    ['GET', '/v1//customers/17/'],
    ['GET', '/v1/cust%6fmers/17'],
  ])('%s %s is of the customers', (method, path) => {
    expect(overHttp(method, path)).toEqual(['customers'])
  })

  test.each([
    ['POST', '/v1/customers'],
    ['GET', '/v1/customers-of-others'],
    ['GET', '/v2/v1/customers'],
    ['GET', '/v1/exports/a/b.csv'],
    ['GET', '/%zz'],
  ])('%s %s is not', (method, path) => {
    expect(overHttp(method, path)).toEqual([])
  })

  test('what cannot be told is; on another resource nothing is', () => {
    expect(overHttp('GET', new Unknown('no path'))).toEqual(['customers'])
    expect(overHttp('GET', '/v1/customers', 'other')).toEqual([])
  })
})
