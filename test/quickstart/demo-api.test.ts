import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDemoApi, type DemoApi } from '../../src/quickstart/demo-api.ts'

let api: DemoApi
beforeAll(async () => {
  api = await startDemoApi({ port: 0 })
})
afterAll(() => api.close())

async function call(method: string, path: string, body?: object, token = api.token) {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body && { 'content-type': 'application/json' }),
  }
  const response = await fetch(api.url + path, {
    method,
    headers,
    body: body && JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, body: text ? JSON.parse(text) : undefined }
}

test('only who has the token gets in', async () => {
  expect(await call('GET', '/v1/customers', undefined, 'guess')).toMatchObject({ status: 401 })
  expect((await fetch(`${api.url}/v1/customers`)).status).toBe(401)
  expect(await call('GET', '/v1/customers')).toMatchObject({ status: 200 })
})

test('customers are listed without their addresses, which are shown one by one', async () => {
  const { body } = await call('GET', '/v1/customers')
  expect(body.customers[0]).toEqual({ id: 'c-1', name: 'Ada Lovelace' })
  expect(await call('GET', '/v1/customers/c-1')).toMatchObject({
    body: { email: 'ada@example.com' },
  })
  expect(await call('GET', '/v1/customers/c-99')).toMatchObject({ status: 404 })
})

test('a customer that is deleted is gone', async () => {
  expect(await call('DELETE', '/v1/customers/c-4')).toMatchObject({ status: 204 })
  expect(await call('DELETE', '/v1/customers/c-4')).toMatchObject({ status: 404 })
})

test('orders are placed, and refunded up to what they were', async () => {
  const order = { customer: 'c-2', amount_cents: 500, items: ['valves'] }
  const placed = await call('POST', '/v1/orders', order)
  expect(placed).toMatchObject({ status: 201, body: order })
  expect((await call('GET', '/v1/orders?customer=c-2')).body.orders).toContainEqual(placed.body)
  const refund = { order: placed.body.id, amount_cents: 500, reason: 'broken' }
  expect(await call('POST', '/v1/refunds', refund)).toMatchObject({
    status: 201,
    body: { status: 'refunded' },
  })
  expect(await call('POST', '/v1/refunds', { ...refund, amount_cents: 501 })).toMatchObject({
    status: 422,
  })
  expect(await call('POST', '/v1/refunds', { order: 'o-1001' })).toMatchObject({ status: 400 })
})

test('an export is queued', async () => {
  const wanted = { dataset: 'customers', columns: ['email'] }
  expect(await call('POST', '/v1/exports', wanted)).toMatchObject({ status: 202, body: wanted })
})

test('it remembers what arrived', () => {
  expect(api.requests[0]).toEqual({ method: 'GET', url: '/v1/customers', status: 401 })
})
