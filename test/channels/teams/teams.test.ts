import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buttonOf, type TeamsMessage } from '../../support/teams-server.ts'
import { accounts, codeIn, startTeamsGateway, textOf, type TeamsGateway } from './teams-gateway.ts'

let here: TeamsGateway

beforeAll(async () => {
  here = await startTeamsGateway()
  await here.link('dana', 'noor')
})

afterAll(() => here.close())

const becomes = (message: TeamsMessage, text: string) =>
  here.teams.message((one) => one.id === message.id && textOf(one.card).includes(text))

async function problemOf(answer: Promise<Response>) {
  return (await (await answer).json()) as { type: string; detail: string }
}

const approve = async (message: TeamsMessage, name: keyof typeof accounts) =>
  textOf(await here.press(message, 'Approve once', name))

describe('a refund that has to be approved', () => {
  it('is shown whole, approved with a click, runs, and the card says who it was', async () => {
    const { answer, message } = await here.hold({ body: { order: 'o-first', amount_cents: 5000 } })
    expect(message.conversation).toBe(here.teams.team.channel)
    for (const fact of [
      'Approval wanted (high risk)',
      'priya → support-agent → crm',
      'POST /v1/refunds',
      '{"order":"o-first","amount_cents":5000}',
      'refunds-need-a-lead',
      '0 of 1 from support-leads',
    ]) {
      expect(textOf(message.card)).toContain(fact)
    }

    expect(await approve(message, 'dana')).toMatch(/^You approved it\./)
    expect((await answer).status).toBe(201)

    const after = await becomes(message, 'Approved, and done')
    expect(textOf(after.card)).toContain('Approved by dana.')
    expect(after.card.actions.map(({ title }) => title)).toEqual(['Open in the console'])
  })

  it('is denied with a reason, which the agent is told', async () => {
    const { answer, message } = await here.hold()
    const inputs = { deny_reason: 'use the sandbox' }
    expect(textOf(await here.press(message, 'Deny', 'noor', inputs))).toContain('You denied it.')
    const problem = await problemOf(answer)
    expect(problem.type).toContain('approval-denied')
    expect(problem.detail).toContain('use the sandbox')
    await becomes(message, 'Denied by noor: use the sandbox.')
  })

  it('is granted for some minutes, with what that means in words', async () => {
    const body = { order: 'o-again' }
    const { answer, message } = await here.hold({ body })
    expect(textOf(message.card)).toContain(
      'For 15 minutes the agent may run, without asking again, exactly this request.',
    )
    await here.press(message, 'Approve for 15 minutes', 'dana')
    expect((await answer).status).toBe(201)
    const again = await here.gateway.agent('/crm/v1/refunds', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(again.status).toBe(201)
  })

  it('takes a reason where the risk is critical, whatever the client lets through', async () => {
    const { answer, message, approval } = await here.hold({ path: '/v1/erasures' })
    expect(await approve(message, 'dana')).toContain('A critical action is approved with a reason.')
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')
    await here.press(message, 'Approve once', 'dana', { approve_reason: 'ticket 4711' })
    expect((await answer).status).toBe(201)
  })

  it('can be decided in the console meanwhile, and the card shows who did', async () => {
    const { answer, message, approval } = await here.hold()
    await here.gateway.vote('dana', approval)
    expect((await answer).status).toBe(201)
    await becomes(message, 'Approved by dana.')
    const said = await approve(message, 'noor')
    expect(said).toMatch(
      /^This did not count\. Approval \S+ is no longer open \(succeeded\); dana decided it\./,
    )
    expect(said).toContain('Approved, and done')
  })

  it('needs two of them where the rule says so, and says how many have agreed', async () => {
    const { answer, message } = await here.hold({ path: '/v1/payouts' })
    expect(await approve(message, 'dana')).toContain('for others too')
    await becomes(message, '1 of 2 from support-leads: dana')
    expect(await approve(message, 'noor')).toContain('You approved it.')
    expect((await answer).status).toBe(201)
  })
})

describe('class 15, 16 and 13, races, removed approvers and self-approval: by click as by any other way', () => {
  it('a double click is one vote', async () => {
    const { answer, message } = await here.hold({ path: '/v1/payouts' })
    const said = await Promise.all([approve(message, 'dana'), approve(message, 'dana')])
    expect(said.map((text) => text.split('\n')[0]!).toSorted()).toEqual([
      'This did not count. You have voted on this already; every person counts once.',
      'Your approval counts. It waits for others too.',
    ])
    await approve(message, 'noor')
    expect((await answer).status).toBe(201)
  })

  it('of two who decide at once one wins, and the other is told', async () => {
    const { answer, message } = await here.hold()
    const ran = here.upstream.arrived.length
    const said = await Promise.all([approve(message, 'dana'), approve(message, 'noor')])
    expect((await answer).status).toBe(201)
    expect(said.filter((text) => text.startsWith('You approved it.'))).toHaveLength(1)
    expect(said.filter((text) => text.includes('no longer open'))).toHaveLength(1)
    expect(here.upstream.arrived.length).toBe(ran + 1)
  })

  it('a click after the expiry does nothing', async () => {
    const { answer, message } = await here.hold({ path: '/v1/hasty' })
    expect((await answer).status).toBe(403)
    await becomes(message, 'Expired: nobody decided in time.')
    expect(await approve(message, 'dana')).toContain('is no longer open (expired)')
  })

  it('a click by somebody who has been removed from the group does nothing', async () => {
    await here.link('omar')
    const logIn = async (groups: string[]) => {
      const authorization = `Bearer ${await here.gateway.personToken('omar', { groups })}`
      await fetch(`${here.gateway.controlUrl}/api/me`, { headers: { authorization } })
    }
    await logIn(['support-leads'])
    const first = await here.hold({ path: '/v1/payouts' })
    expect(await approve(first.message, 'omar')).toContain('counts')
    await logIn([])
    const second = await here.hold({ path: '/v1/payouts' })
    expect(await approve(second.message, 'omar')).toContain(
      'This did not count. This approval is for support-leads.',
    )
    await here.gateway.vote('dana', first.approval, 'deny')
    await here.gateway.vote('dana', second.approval, 'deny')
  })

  it.each([
    ['the owner of the agent', 'priya', {}],
    ['the person it acts for', 'noor', { sub: 'noor', act: { sub: 'support-agent' } }],
    ['the one who asked', 'dana', { sub: 'dana', kind: 'human' }],
  ] as const)('a click by %s does nothing', async (_, name, claims) => {
    if (name === 'priya') await here.link('priya')
    const { message, approval } = await here.hold({ claims })
    expect(await approve(message, name)).toContain(
      'You asked for this action, acted in it, or own the agent',
    )
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')
    await here.gateway.vote(name === 'noor' ? 'dana' : 'noor', approval, 'deny')
  })
})

describe('who somebody in Teams is', () => {
  it('is asked of a stranger: log in, look, confirm; once, and on record', async () => {
    const { message, approval } = await here.hold()
    const card = await here.press(message, 'Approve once', 'lena')
    expect(textOf(card)).toContain('does not know who you are yet')
    expect(buttonOf({ card }, 'Approve once')).toBeDefined()
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')
    // Nobody else sees it.
    expect(JSON.stringify(here.teams.messages)).not.toContain('#/link/')

    const account = { channel: 'teams', tenant: here.teams.tenant, member: accounts.lena }
    const say = (path: string, body: object, name: 'lena' | 'omar' = 'lena') =>
      here.gateway.person(name, path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const code = codeIn(card)
    const offer = await say('/api/links/offer', { code })
    expect(await offer.json()).toMatchObject(account)
    expect((await say('/api/links', { code })).status).toBe(200)
    expect((await say('/api/links', { code }, 'omar')).status).toBe(404)
    expect(await approve(message, 'lena')).toContain('This approval is for support-leads.')

    expect((await say('/api/links/unlink', account)).status).toBe(204)
    expect(await approve(message, 'lena')).toContain('does not know who you are')
    const log = await here.gateway.auditLog()
    const types = log
      .filter((line) => line.includes(accounts.lena))
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['identity.linked', 'identity.unlinked'])
    await here.gateway.vote('dana', approval, 'deny')
  })
})
