import fc from 'fast-check'
import { connect } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readPrefer } from '../../../src/protocols/http/prefer.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'
import { taskOf } from './stand-in-gate.ts'

test.for([
  ['wait=10', 10, null],
  ['wait=10, return=minimal', 10, 'return=minimal'],
  ['return=minimal,wait=10', 10, 'return=minimal'],
  ['Wait = "10"', 10, null],
  ['wait=10; foo=bar', 10, null],
  ['wait=10, wait=20', 10, null],
  ['respond-async, wait=10', 10, null],
  ['handling=lenient; a="x, wait=9", wait=3', 3, 'handling=lenient; a="x, wait=9"'],
  ['wait=soon', null, null],
  ['wait', null, null],
  ['wait=-1', null, null],
  ['wait=1e3', null, null],
  ['wait=0', 0, null],
  ['', null, null],
  [', ,', null, null],
] as const)('Prefer: %s', ([value, wait, rest]) => {
  const respondAsync = value.includes('respond-async')
  expect(readPrefer(value)).toEqual({ wait, respondAsync, rest })
})

test('no Prefer header takes long to read', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z=",;\\ ]{0,200}$/), (value) => {
      readPrefer(value)
    }),
  )
  readPrefer('wait="'.repeat(5000))
})

test('the caller waits as long as it prefers, or as the listener says, and never longer than it allows', async () => {
  const { gateway } = await behind(undefined, {}, { wait: 25_000, maxWait: 60_000 })
  const waitOf = async (...headers: string[]) => {
    await gateway.raw(request('/crm/v1', { headers }))
    return gateway.gate.attempts.at(-1)!.waitMs
  }
  expect(await waitOf()).toBe(25_000)
  expect(await waitOf('Prefer: wait=5')).toBe(5_000)
  expect(await waitOf('Prefer: wait=0')).toBe(0)
  expect(await waitOf('Prefer: wait=3600')).toBe(60_000)
  expect(await waitOf('Prefer: return=minimal', 'Prefer: wait=7')).toBe(7_000)
  expect(await waitOf('Prefer: wait=soon')).toBe(25_000)
})

test('the gate learns which approval the caller means, and what it says that it is doing this for', async () => {
  const { gateway } = await behind()
  const headers = [
    `Sallyport-Approval: ${taskOf['alice']}`,
    `Sallyport-Reason: ${'caf\xc3\xa9 '.repeat(200)}`,
  ]
  await gateway.raw(request('/crm/v1', { headers }))
  const { approval, action } = gateway.gate.attempts[0]!
  expect(approval).toBe(taskOf['alice'])
  expect(action.agentReason).toHaveLength(500)
  expect(action.agentReason).toMatch(/^café café .*…$/)
})

test('what cannot be the id of an approval is not one', async () => {
  const { upstream, gateway } = await behind()
  const headers = ["Sallyport-Approval: ' OR 1=1"]
  const answer = await gateway.raw(request('/crm/v1', { headers }))
  expect(problemIn(answer).type).toBe('https://sallyport.dev/problems/approval-mismatch')
  expect(upstream.connections).toEqual([])
})

test('approved while the caller waits: the answer of the upstream, as if nothing had happened', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = () => 'hold'
  const answer = gateway.raw(request('/crm/v1', { method: 'DELETE' }))
  await gateway.gate.held()
  expect(upstream.connections).toEqual([])
  gateway.gate.approve()
  expect(statusOf(await answer)).toBe(200)
  expect(upstream.requests.map(({ line }) => line)).toEqual(['DELETE /v1 HTTP/1.1'])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'succeeded', status: 200 }])
})

test('the gate learns that the caller went away while held, and a later approval does not send', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = () => 'hold'
  const client = connect(gateway.port, '127.0.0.1')
  client.write(request('/crm/v1', { method: 'POST', headers: ['Content-Length: 2'], body: 'ok' }))
  await gateway.gate.held()
  const { caller } = gateway.gate.attempts[0]!
  expect(caller.aborted).toBe(false)
  client.destroy()
  while (!caller.aborted) await later(2)
  gateway.gate.approve()
  while (gateway.gate.outcomes.length === 0) await later(2)
  expect(upstream.requests).toEqual([])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'client-gone' }])
  expect(gateway.logged).toEqual([])
})

test('a caller that goes away while its credential is looked at asks for nothing', async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<void>()
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const authenticating = () => (ask(), looked)
  const { gateway } = await behind(undefined, {}, { authenticating })
  gateway.gate.verdict = () => 'hold'
  const client = connect(gateway.port, '127.0.0.1')
  client.write(request('/crm/v1', { method: 'POST', headers: ['Content-Length: 2'], body: 'ok' }))
  await asked
  client.destroy()
  // Another connection's answer comes after the news of the end of this one.
  await gateway.raw('GET / HTTP/1.1\r\n\r\n')
  look()
  await gateway.close()
  expect(gateway.gate.attempts).toEqual([])
})
