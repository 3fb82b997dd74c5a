import { connect, type Socket } from 'node:net'
import { onTestFinished, describe, expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, post, request } from './gateway.ts'

const soon = { timeout: 60_000, interval: 5 }

/** Requests one behind the other on one connection, of which those for `/held` wait for people. */
async function pipelined(bytes: string) {
  const { upstream, gateway } = await behind(({ line }) => ok(`to ${line.split(' ')[1]}`))
  gateway.gate.verdict = ({ action }) => (action.summary.includes('/held') ? 'hold' : 'allow')
  const client = connect(gateway.port, '127.0.0.1')
  onTestFinished(() => void client.destroy())
  let text = ''
  client.setEncoding('latin1').on('data', (more: string) => (text += more))
  client.on('error', () => undefined)
  client.write(bytes)
  return {
    upstream,
    gate: gateway.gate,
    client,
    answers: () => [...text.matchAll(/^to (\S+?)(?=HTTP|$)/gm)].map(([, path]) => path),
    lines: () => upstream.requests.map(({ line }) => line),
  }
}

const held = (body: string) => post(body).replace('/crm/v1', '/crm/held')

test('what comes behind a held request has its answer behind it, and none of them has another one', async () => {
  const bytes = request('/crm/before') + held('one') + request('/crm/behind')
  const { upstream, gate, answers, lines } = await pipelined(bytes)
  await expect.poll(() => gate.sealed.length, soon).toBe(1)
  await expect.poll(lines, soon).toEqual(['GET /before HTTP/1.1', 'GET /behind HTTP/1.1'])
  await expect.poll(answers, soon).toEqual(['/before'])
  gate.approve()
  await expect.poll(answers, soon).toEqual(['/before', '/held', '/behind'])
  expect(upstream.requests).toHaveLength(3)
})

describe('a client that goes away', () => {
  const ways: Record<string, (client: Socket) => void> = {
    'with a reset': (client) => void client.resetAndDestroy(),
    'with a goodbye': (client) => void client.destroy(),
    'by half, and waits': (client) => void client.end(),
    'by saying what is no HTTP': (client) => void client.write('and now?\r\n\r\n'),
  }
  test.for(Object.entries(ways))(
    '%s takes with it what waits, also behind something else: it does not run once it is approved',
    async ([, leave]) => {
      const { upstream, gate, client } = await pipelined(held('one') + held('two') + held('three'))
      await expect.poll(() => gate.sealed.length, soon).toBe(3)
      leave(client)
      const gone = () => gate.attempts.map(({ caller }) => caller.aborted)
      await expect.poll(gone, soon).toEqual([true, true, true])
      gate.approve()
      await expect.poll(() => gate.outcomes.length, soon).toBe(3)
      for (const outcome of gate.outcomes) {
        expect(outcome).toMatchObject({ result: 'failed', error: 'client-gone' })
      }
      expect(upstream.requests).toEqual([])
    },
  )
})
