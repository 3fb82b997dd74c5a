import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SlackMessage } from '../support/slack-server.ts'
import { startSlackGateway, type SlackGateway } from './slack-gateway.ts'

let here: SlackGateway

beforeAll(async () => {
  here = await startSlackGateway()
  await here.link('U-DANA', 'dana')
})

// What earlier tests had to say has been said.
beforeEach(async () => {
  await expect.poll(health, { timeout: 60_000 }).toMatchObject({ waiting: 0 })
})

afterAll(() => here.close())

async function health(): Promise<Record<string, unknown>> {
  const response = await here.gateway.person('dana', '/api/channels')
  const { channels } = (await response.json()) as { channels: Record<string, unknown>[] }
  return channels[0]!
}

const textOf = ({ blocks }: SlackMessage) => JSON.stringify(blocks)

const becomes = (message: SlackMessage, text: string) =>
  here.slack.message((one) => one.ts === message.ts && textOf(one).includes(text))

function askForRefund(order: string): Promise<Response> {
  return here.gateway.agent('/crm/v1/refunds', {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ order }),
  })
}

describe('Slack in trouble', () => {
  it.each([
    ['says 500', { status: 500 }, 'Slack answered with status 500'],
    ['asks to be left alone (429)', { status: 429, retryAfter: 1 }, 'Slack asks to wait 1 s'],
  ] as const)(
    '%s: the console works, and the message is there when it is back',
    async (_, is, words) => {
      const { slack, gateway } = here
      slack.setTrouble(is)
      const before = slack.messages.length
      const answer = askForRefund(`o-trouble-${is.status}`)
      const approval = await gateway.pending()
      await expect.poll(health).toMatchObject({ name: 'slack', waiting: 1, last_error: words })

      await gateway.vote('dana', approval)
      expect((await answer).status).toBe(201)

      slack.setTrouble('none')
      const message = await slack.message((one) => slack.messages.indexOf(one) >= before)
      await becomes(message, 'Approved by dana.')
    },
  )

  it('says nothing at all: nothing waits for it', async () => {
    const { slack, gateway } = here
    slack.setTrouble('silent')
    const called = slack.calls.length
    const answer = askForRefund('o-silence')
    await gateway.vote('dana', await gateway.pending())
    expect((await answer).status).toBe(201)
    await expect.poll(() => slack.calls.length).toBeGreaterThan(called)
    slack.setTrouble('none')
    slack.hangUp()
    await slack.message((one) => textOf(one).includes('o-silence'))
  })

  it('a message whose answer was lost is brought up to date when somebody clicks it', async () => {
    const { slack } = here
    slack.loseNextAnswer()
    const { answer, message: first } = await here.hold({ body: { order: 'o-lost' } })
    const second = await slack.message(
      (one) => one.ts !== first.ts && textOf(one).includes('o-lost'),
    )
    await here.press(first, 'sallyport_approve', 'U-DANA')
    expect((await answer).status).toBe(201)
    for (const message of [first, second]) await becomes(message, 'Approved by dana.')
  })

  it('a message that was deleted is posted anew', async () => {
    const { slack, gateway } = here
    const { message, approval } = await here.hold({ body: { order: 'o-deleted' } })
    slack.delete(message)
    await gateway.vote('dana', approval, 'deny')
    await slack.message(
      (one) => textOf(one).includes('o-deleted') && textOf(one).includes('Denied'),
    )
  })
})
