import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpReceiver } from '../../src/channels/slack/http-receiver.ts'
import { loadConfig } from '../../src/config/load.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quiet } from '../support/audit.ts'
import type { SlackMessage } from '../support/slack-server.ts'
import type { Held } from './chat-scene.ts'
import { startSlackGateway, type SlackGateway } from './slack-gateway.ts'

let here: SlackGateway
let held: Held<SlackMessage>

beforeAll(async () => {
  here = await startSlackGateway()
  await here.link('U-DANA', 'dana')
  held = await here.hold()
})

afterAll(() => here.close())

const click = (more?: object) =>
  here.slack.pressed(held.message, 'sallyport_approve', 'U-DANA', more)

const now = () => Date.now() / 1000

/** Each is what somebody might send who is not Slack, or not this one, or not now. */
const attacks: readonly (readonly [
  string,
  number,
  () => { body: string; headers: Record<string, string> },
])[] = [
  ['no signature', 401, () => ({ ...here.slack.sign(click()), headers: form })],
  ['a signature with another secret', 401, () => here.slack.sign(click(), { secret: 'x' })],
  ['a signature with the empty secret', 401, () => here.slack.sign(click(), { secret: '' })],
  ['a request of six minutes ago', 401, () => here.slack.sign(click(), { at: now() - 360 })],
  ['a request from in six minutes', 401, () => here.slack.sign(click(), { at: now() + 360 })],
  [
    'a body that was changed',
    401,
    () => {
      const { body, headers } = here.slack.sign(click())
      return { body: body.replace('U-DANA', 'U-NOOR'), headers }
    },
  ],
  [
    'a time that was changed',
    401,
    () => {
      const { body, headers } = here.slack.sign(click(), { at: now() - 360 })
      const time = String(Math.floor(now()))
      return { body, headers: { ...headers, 'x-slack-request-timestamp': time } }
    },
  ],
  [
    'a time that is no number',
    401,
    () => {
      const { body, headers } = here.slack.sign(click())
      return { body, headers: { ...headers, 'x-slack-request-timestamp': 'soon' } }
    },
  ],
  [
    'a signature of another version',
    401,
    () => {
      const { body, headers } = here.slack.sign(click())
      const signature = headers['x-slack-signature']!.replace('v0=', 'v1=')
      return { body, headers: { ...headers, 'x-slack-signature': signature } }
    },
  ],
  ['another workspace', 403, () => here.slack.sign(click({ team: { id: 'T0OTHER' } }))],
  [
    'somebody of another company, in a channel that is shared with it',
    403,
    () => here.slack.sign(click({ user: { id: 'U-DANA', team_id: 'T0OTHER' } })),
  ],
  ['no workspace', 403, () => here.slack.sign(click({ team: null, user: { id: 'U-DANA' } }))],
  ['what is no JSON', 400, () => signed('payload=%7B')],
  ['something that nobody listens to', 404, () => here.slack.sign({ ...team, type: 'shortcut' })],
]

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const team = { team: { id: 'T0TEST' }, user: { id: 'U-DANA' }, callback_id: 'x' }

/** A body as it is, with a signature. */
function signed(body: string) {
  const { headers } = here.slack.sign({})
  return { headers: here.slack.headersFor(body, headers), body }
}

describe('class 17, forged Slack: nobody votes with', () => {
  it.each(attacks)('%s', async (_, status, request) => {
    expect((await here.send(request())).status).toBe(status)
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
  })

  it('a button of another message: what was clicked is what is voted on', async () => {
    const other = await here.hold()
    const value = JSON.stringify({
      approval: held.approval.id,
      digest: other.approval.action.digest,
      view: other.approval.view_hash,
      scope: 'once',
    })
    const actions = [{ type: 'button', action_id: 'sallyport_approve', block_id: 'b', value }]
    const said = await here.told('U-DANA', () => here.send(here.slack.sign(click({ actions }))))
    expect(said.text).toContain('What you saw is not what would run.')
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
    await here.gateway.vote('dana', other.approval, 'deny')
  })

  it('a request that was let pass before: every person counts once', async () => {
    const request = here.slack.sign(click())
    const counted = await here.told('U-DANA', () => here.send(request))
    expect(counted.text).toContain('You approved it.')
    expect((await held.answer).status).toBe(201)
    const ran = here.upstream.arrived.length
    const said = await here.told('U-DANA', () => here.send(request))
    expect(said.text).toContain('This did not count.')
    expect(here.upstream.arrived.length).toBe(ran)
  })

  it('an empty secret: nothing starts with one', () => {
    expect(() => new HttpReceiver('', 'T0TEST', quiet)).toThrow(
      'the signing secret of Slack is empty',
    )
    const file = join(here.gateway.folder, 'empty-secret.yaml')
    const slack = "{ team: T0TEST, bot_token: xoxb-1, signing_secret: '${SLACK_SIGNING_SECRET}' }"
    writeFileSync(file, `channels:\n  slack: ${slack}\n`)
    expect(() => loadConfig(file, { SLACK_SIGNING_SECRET: '' })).toThrow(/SLACK_SIGNING_SECRET/)
    writeFileSync(
      file,
      "channels:\n  slack: { team: T0TEST, bot_token: xoxb-1, signing_secret: '' }\n",
    )
    expect(() => loadConfig(file, {})).toThrow('an empty one would let anybody vote')
  })

  it('Slack’s own question, whether we are here, is answered', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'abc', team_id: 'T0TEST' })
    const { headers } = signed(body)
    const answer = await here.send({
      body,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    expect(await answer.json()).toEqual({ challenge: 'abc' })
  })
})
