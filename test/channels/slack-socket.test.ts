import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSlackGateway, type SlackGateway } from './slack-gateway.ts'

let here: SlackGateway

beforeAll(async () => {
  here = await startSlackGateway({ mode: 'socket', troubleAtStart: { status: 503 } })
})

afterAll(() => here.close())

async function approveOverSocket(): Promise<void> {
  const { answer, message } = await here.hold()
  await here.slack.connected()
  await here.slack.sendOverSocket(here.slack.pressed(message, 'sallyport_approve', 'U-DANA'))
  expect((await answer).status).toBe(201)
}

describe('Socket Mode', () => {
  it('starts although Slack is away, and connects when it is back; a click lets the request run', async () => {
    here.slack.setTrouble('none')
    await here.slack.connected()
    await here.link('U-DANA', 'dana')
    await approveOverSocket()
  })

  it('connects again when the connection is lost', async () => {
    here.slack.dropSockets()
    await approveOverSocket()
  })

  it('class 17, forged Slack: does not listen to another workspace', async () => {
    const { message, approval } = await here.hold()
    const click = here.slack.pressed(message, 'sallyport_approve', 'U-DANA', {
      team: { id: 'T0OTHER' },
    })
    await here.slack.sendUnheard(click)
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')
    await here.gateway.vote('dana', approval, 'deny')
  })

  it('has no address that requests could be sent to', async () => {
    const answer = await here.send(here.slack.sign({ type: 'block_actions' }))
    expect(answer.status).toBe(404)
  })
})
