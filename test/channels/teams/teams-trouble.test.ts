import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TeamsMessage } from '../../support/teams-server.ts'
import { accounts, startTeamsGateway, textOf, type TeamsGateway } from './teams-gateway.ts'

let here: TeamsGateway

beforeAll(async () => {
  here = await startTeamsGateway({ install: false })
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

const becomes = (message: TeamsMessage, text: string) =>
  here.teams.message((one) => one.id === message.id && textOf(one.card).includes(text))

const saying = (text: string) => here.teams.message((one) => textOf(one.card).includes(text))

function ask(order: string, path = '/v1/refunds'): Promise<Response> {
  return here.gateway.agent(`/crm${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ order }),
  })
}

describe('where Teams is told', () => {
  it('a team that has not got the app waits for it, and hears of it then', async () => {
    const answer = ask('o-early')
    await expect.poll(health).toMatchObject({
      last_error: 'No team that has the app has a channel of this name',
    })
    await here.send(here.teams.installed('team'))
    const message = await saying('o-early')
    expect(message.conversation).toBe('19:approvals@thread.tacv2')
    await here.gateway.vote('dana', await here.gateway.pending())
    expect((await answer).status).toBe(201)
    await here.link('dana')
  })

  it('after a restart too, since it is kept in the store', async () => {
    await here.gateway.restart()
    const { answer, message, approval } = await here.hold({ body: { order: 'o-restart' } })
    await here.gateway.restart()
    await here.gateway.vote('dana', approval)
    await becomes(message, 'Approved by dana.')
    expect((await answer).status).toBe(403)
  })

  it('a person, once they have the app, and no longer when they have removed it', async () => {
    const dana = { person: accounts.dana }
    void ask('o-person', '/v1/personal')
    await expect.poll(health).toMatchObject({
      last_error: 'This person has not installed the app in Teams',
    })
    await here.send(here.teams.installed(dana))
    expect((await saying('o-person')).conversation).toBe(`a:${accounts.dana}`)
    await here.gateway.vote('noor', await here.gateway.pending(), 'deny')
    await expect.poll(health).toMatchObject({ waiting: 0 })

    const removed = { ...here.teams.installed(dana), type: 'installationUpdate', action: 'remove' }
    await here.send({ ...removed, membersAdded: [] })
    const before = (await health())['last_failure']
    void ask('o-gone', '/v1/personal')
    await expect.poll(async () => (await health())['last_failure']).not.toBe(before)
    await here.send(here.teams.installed(dana))
    await saying('o-gone')
    await here.gateway.vote('noor', await here.gateway.pending(), 'deny')
  })

  it.each([
    ['a chat, by its id', '/v1/by-id', '19:ops@thread.v2'],
    ['everybody who may decide and is linked', '/v1/approvers', `a:${accounts.dana}`],
  ])('%s', async (_, path, conversation) => {
    const { message, approval } = await here.hold({ path })
    expect(message.conversation).toBe(conversation)
    await here.gateway.vote('dana', approval, 'deny')
  })

  it('whoever writes to the bot is told what the place is called', async () => {
    await here.send(
      here.teams.activity('message', accounts.dana, { text: '<at>Sallyport</at> hi' }),
    )
    await saying(`Rules call this place teams:${here.teams.team.id}`)
  })

  it('somebody else who joins the team is no news', async () => {
    const joined = { membersAdded: [{ id: '29:somebody' }] }
    const response = await here.send(
      here.teams.activity('conversationUpdate', accounts.dana, joined),
    )
    expect(response.status).toBe(200)
  })

  it('a reminder is said below the card', async () => {
    const { message, approval } = await here.hold({ path: '/v1/reminded' })
    const reminder = await saying('and nobody has decided')
    expect(reminder.conversation).toBe(`${message.conversation};messageid=${message.id}`)
    await here.gateway.vote('dana', approval, 'deny')
  })
})

describe('Teams in trouble', () => {
  it.each([
    ['says 500', { status: 500 }, 'Teams answered with status 500'],
    ['asks to be left alone (429)', { status: 429, retryAfter: 1 }, 'Teams asks to wait 1 s'],
    [
      'has not got the bot in its roster (403)',
      { status: 403, code: 'BotNotInConversationRoster' },
      'Teams says BotNotInConversationRoster (403)',
    ],
  ] as const)(
    '%s: the console works, and the card is there when it is back',
    async (_, is, words) => {
      const { teams, gateway } = here
      teams.setTrouble(is)
      const answer = ask(`o-trouble-${is.status}`)
      const approval = await gateway.pending()
      await expect.poll(health).toMatchObject({ name: 'teams', waiting: 1, last_error: words })

      await gateway.vote('dana', approval)
      expect((await answer).status).toBe(201)

      teams.setTrouble('none')
      await becomes(await saying(`o-trouble-${is.status}`), 'Approved by dana.')
    },
  )

  it('says nothing at all: nothing waits for it', async () => {
    const { teams, gateway } = here
    teams.setTrouble('silent')
    const called = teams.calls.length
    const answer = ask('o-silence')
    await gateway.vote('dana', await gateway.pending())
    expect((await answer).status).toBe(201)
    await expect.poll(() => teams.calls.length).toBeGreaterThan(called)
    teams.setTrouble('none')
    teams.hangUp()
    await saying('o-silence')
  })

  it('a card whose answer was lost is brought up to date when somebody clicks it', async () => {
    const { teams } = here
    teams.loseNextAnswer()
    const { answer, message: first } = await here.hold({ body: { order: 'o-lost' } })
    const second = await teams.message(
      (one) => one.id !== first.id && textOf(one.card).includes('o-lost'),
    )
    await here.press(first, 'Approve once', 'dana')
    expect((await answer).status).toBe(201)
    await becomes(first, 'Approved')
    await becomes(second, 'Approved by dana.')
  })

  it('a card that was deleted is posted anew', async () => {
    const { message, approval } = await here.hold({ body: { order: 'o-deleted' } })
    here.teams.delete(message)
    await here.gateway.vote('dana', approval, 'deny')
    await here.teams.message(
      ({ card }) => textOf(card).includes('o-deleted') && textOf(card).includes('Denied'),
    )
  })

  it('gets no token from Entra: it says so, and no secret with it', async () => {
    const { teams, gateway } = here
    teams.refuseTokens(true)
    await gateway.restart()
    const answer = ask('o-token')
    const words = 'Entra gives the bot no token: it says invalid_client'
    await expect.poll(health).toMatchObject({ last_error: words })
    teams.refuseTokens(false)
    await saying('o-token')
    await gateway.vote('dana', await gateway.pending(), 'deny')
    await answer
    expect(gateway.logged()).not.toMatch(/client-secret-of-the-test|Bearer ey/)
  })
})
