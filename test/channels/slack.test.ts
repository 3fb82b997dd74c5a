import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buttonOf, type SlackMessage } from '../support/slack-server.ts'
import { codeIn, startSlackGateway, type SlackGateway } from './slack-gateway.ts'

let here: SlackGateway

beforeAll(async () => {
  here = await startSlackGateway()
  await here.link('U-DANA', 'dana')
  await here.link('U-NOOR', 'noor')
})

afterAll(() => here.close())

const textOf = ({ blocks }: SlackMessage) => JSON.stringify(blocks).replaceAll('\\"', '"')

const becomes = (message: SlackMessage, text: string) =>
  here.slack.message((one) => one.ts === message.ts && textOf(one).includes(text))

async function problemOf(answer: Promise<Response>) {
  return (await (await answer).json()) as { type: string; detail: string }
}

describe('a refund that has to be approved', () => {
  it('is shown whole, approved with a click, runs, and the message says who it was', async () => {
    const body = { order: 'o-first', amount_cents: 5000 }
    const { answer, message } = await here.hold({ body })
    for (const fact of [
      'Approval wanted (high risk)',
      'priya → support-agent → crm',
      'POST /v1/refunds',
      '{\\"order\\":\\"o-first\\",\\"amount_cents\\":5000}'.replaceAll('\\"', '"'),
      'refunds-need-a-lead',
      '0 of 1 from support-leads',
    ]) {
      expect(textOf(message).replaceAll('\\', '')).toContain(fact)
    }

    expect((await here.press(message, 'sallyport_approve', 'U-DANA')).status).toBe(200)
    expect((await answer).status).toBe(201)

    const after = await becomes(message, 'Approved, and done')
    expect(textOf(after)).toContain('Approved by dana.')
    expect(buttonOf(after, 'sallyport_approve')).toBeUndefined()
    const thread = await here.slack.message((one) => one.threadTs === message.ts)
    expect(thread.text).toContain('Approved by dana')
  })

  it('is denied with a reason, which the agent is told', async () => {
    const { answer, message } = await here.hold()
    const views = here.slack.views.length
    await here.press(message, 'sallyport_deny', 'U-NOOR')
    const view = await here.slack.view(views)
    const said = await here.told('U-NOOR', () =>
      here.send(here.slack.sign(here.slack.submitted(view, 'U-NOOR', 'use the sandbox'))),
    )
    expect(said.text).toBe('You denied it.')
    const problem = await problemOf(answer)
    expect(problem.type).toContain('approval-denied')
    expect(problem.detail).toContain('use the sandbox')
    expect(textOf(await becomes(message, 'Denied by'))).toContain(
      'Denied by noor: use the sandbox.',
    )
  })

  it('is granted for some minutes, with what that means in words', async () => {
    const body = { order: 'o-again' }
    const { answer, message } = await here.hold({ body })
    expect(textOf(message)).toContain(
      'For 15 minutes the agent may run, without asking again, exactly this request.',
    )
    await here.press(message, 'sallyport_approve_minutes', 'U-DANA')
    expect((await answer).status).toBe(201)
    const again = await here.gateway.agent('/crm/v1/refunds', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(again.status).toBe(201)
  })

  it('says what would have to be the same, where a grant is for more than this request', async () => {
    const { approval, message } = await here.hold({ path: '/v1/notes/c-1' })
    expect(textOf(message).replaceAll('\\', '')).toContain(
      'For 1 minute the agent may run, without asking again, every request with the same http.path "/v1/notes/c-1".',
    )
    await here.gateway.vote('dana', approval, 'deny')
  })

  it('takes a reason where the risk is critical', async () => {
    const { answer, message } = await here.hold({ path: '/v1/erasures' })
    const views = here.slack.views.length
    await here.press(message, 'sallyport_approve', 'U-DANA')
    const view = await here.slack.view(views)
    expect(JSON.stringify(view['blocks'])).toContain('"optional":false')
    await here.send(here.slack.sign(here.slack.submitted(view, 'U-DANA', 'ticket 4711')))
    expect((await answer).status).toBe(201)
  })

  it('can be decided in the console meanwhile, and the message shows who did', async () => {
    const { answer, message, approval } = await here.hold()
    await here.gateway.vote('dana', approval)
    expect((await answer).status).toBe(201)
    expect(textOf(await becomes(message, 'Approved, and done'))).toContain('Approved by dana.')
    expect(await here.answerTo(message, 'sallyport_approve', 'U-NOOR')).toMatch(
      /^This did not count\. Approval \S+ is no longer open \(succeeded\); dana decided it\.$/,
    )
  })

  it('needs two of them where the rule says so, and says how many have agreed', async () => {
    const { answer, message } = await here.hold({ path: '/v1/payouts' })
    expect(await here.answerTo(message, 'sallyport_approve', 'U-DANA')).toContain('for others too')
    await becomes(message, '1 of 2 from support-leads: dana')
    expect(await here.answerTo(message, 'sallyport_approve', 'U-NOOR')).toBe('You approved it.')
    expect((await answer).status).toBe(201)
  })
})

describe('class 15, 16 and 13, races, removed approvers and self-approval: by click as by any other way', () => {
  it('a double click is one vote', async () => {
    const { answer, message } = await here.hold({ path: '/v1/payouts' })
    const click = here.slack.sign(here.slack.pressed(message, 'sallyport_approve', 'U-DANA'))
    const before = here.slack.ephemerals.length
    await Promise.all([here.send(click), here.send(click)])
    await expect
      .poll(() =>
        here.slack.ephemerals
          .slice(before)
          .map(({ text }) => text)
          .toSorted(),
      )
      .toEqual([
        'This did not count. You have voted on this already; every person counts once.',
        'Your approval counts. It waits for others too.',
      ])
    await here.press(message, 'sallyport_approve', 'U-NOOR')
    expect((await answer).status).toBe(201)
  })

  it('of two who decide at once one wins, and the other is told', async () => {
    const { answer, message } = await here.hold()
    const ran = here.upstream.arrived.length
    const before = here.slack.ephemerals.length
    await Promise.all([
      here.press(message, 'sallyport_approve', 'U-DANA'),
      here.press(message, 'sallyport_approve', 'U-NOOR'),
    ])
    expect((await answer).status).toBe(201)
    await expect.poll(() => here.slack.ephemerals.length).toBe(before + 2)
    const texts = here.slack.ephemerals.slice(before).map(({ text }) => text)
    expect(texts.filter((text) => text === 'You approved it.')).toHaveLength(1)
    expect(texts.filter((text) => text.includes('no longer open'))).toHaveLength(1)
    expect(here.upstream.arrived.length).toBe(ran + 1)
  })

  it('a click after the expiry does nothing', async () => {
    const { answer, message } = await here.hold({ path: '/v1/hasty' })
    expect((await answer).status).toBe(403)
    await becomes(message, 'Expired: nobody decided in time.')
    expect(await here.answerTo(message, 'sallyport_approve', 'U-DANA')).toContain(
      'is no longer open (expired)',
    )
  })

  it('a click by somebody who has been removed from the group does nothing', async () => {
    await here.link('U-OMAR', 'omar')
    const leads = await here.gateway.personToken('omar', { groups: ['support-leads'] })
    const none = await here.gateway.personToken('omar', { groups: [] })
    const logIn = (token: string) =>
      fetch(`${here.gateway.controlUrl}/api/me`, { headers: { authorization: `Bearer ${token}` } })
    await logIn(leads)
    const { message, approval } = await here.hold({ path: '/v1/payouts' })
    expect(await here.answerTo(message, 'sallyport_approve', 'U-OMAR')).toContain('counts')
    await logIn(none)
    const second = await here.hold({ path: '/v1/payouts' })
    expect(await here.answerTo(second.message, 'sallyport_approve', 'U-OMAR')).toBe(
      'This did not count. This approval is for support-leads.',
    )
    await here.gateway.vote('dana', approval, 'deny')
    await here.gateway.vote('dana', second.approval, 'deny')
  })

  it.each([
    ['the owner of the agent', 'priya', {}],
    ['the person it acts for', 'noor', { sub: 'noor', act: { sub: 'support-agent' } }],
    ['the one who asked', 'dana', { sub: 'dana', kind: 'human' }],
  ] as const)('a click by %s does nothing', async (_, name, claims) => {
    if (name === 'priya') await here.link('U-PRIYA', 'priya')
    const { message, approval } = await here.hold({ claims })
    const said = await here.answerTo(message, 'sallyport_approve', `U-${name.toUpperCase()}`)
    expect(said).toContain('You asked for this action, acted in it, or own the agent')
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')
    await here.gateway.vote(name === 'noor' ? 'dana' : 'noor', approval, 'deny')
  })
})

describe('who somebody in Slack is', () => {
  it('is asked of a stranger: log in, look, confirm; once, and on record', async () => {
    const { message, approval } = await here.hold()
    const { text } = await here.told('U-LENA', () =>
      here.press(message, 'sallyport_approve', 'U-LENA'),
    )
    expect(text).toContain('does not know who you are yet')
    expect((await here.gateway.approval(approval.id)).state).toBe('pending')

    const code = codeIn(text)
    const send = (path: string, body: object, name: 'lena' | 'omar' = 'lena') =>
      here.gateway.person(name, path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const account = { channel: 'slack', tenant: 'T0TEST', member: 'U-LENA' }
    const offer = await send('/api/links/offer', { code })
    expect(await offer.json()).toEqual({ ...account, name: 'u-lena' })
    // Looking links nobody.
    expect(await (await here.gateway.person('lena', '/api/links')).json()).toEqual({ links: [] })

    expect((await send('/api/links', { code })).status).toBe(200)
    expect((await send('/api/links', { code }, 'omar')).status).toBe(404)
    expect(await here.answerTo(message, 'sallyport_approve', 'U-LENA')).toBe(
      'This did not count. This approval is for support-leads.',
    )

    expect((await send('/api/links/unlink', account, 'omar')).status).toBe(404)
    expect((await send('/api/links/unlink', account)).status).toBe(204)
    expect(await here.answerTo(message, 'sallyport_approve', 'U-LENA')).toContain(
      'does not know who you are',
    )
    const log = await here.gateway.auditLog()
    const types = log.filter((line) => line.includes('U-LENA')).map((line) => JSON.parse(line).type)
    expect(types).toEqual(['identity.linked', 'identity.unlinked'])
    await here.gateway.vote('dana', approval, 'deny')
  })

  it('an account that is somebody’s stays theirs, whoever else has a link for it', async () => {
    const { message, approval } = await here.hold()
    const codes = []
    for (const user of ['U-NEW', 'U-NEW']) {
      codes.push(codeIn(await here.answerTo(message, 'sallyport_approve', user)))
    }
    const confirm = (name: 'lena' | 'omar', code: string | undefined) =>
      here.gateway.person(name, '/api/links', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      })
    // The first one ended when the second one was made.
    expect((await confirm('omar', codes[0])).status).toBe(404)
    expect((await confirm('lena', codes[1])).status).toBe(200)
    await here.gateway.vote('dana', approval, 'deny')
  })
})
