import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PersonName } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import {
  startSlackServer,
  type Ephemeral,
  type SlackMessage,
  type SlackServer,
  type Trouble,
} from '../support/slack-server.ts'
import { holdWith, typeCode, type Asked, type Held } from './chat-scene.ts'

/** A gateway with a Slack beside it, and an upstream that counts. */
export interface SlackGateway {
  readonly slack: SlackServer
  readonly gateway: TestGateway
  readonly upstream: CountingUpstream
  /** The agent asks for a refund that nobody has asked for before, and waits. */
  hold(asked?: Asked): Promise<Held<SlackMessage>>
  /** Somebody presses a button, and Slack sends it. */
  press(message: SlackMessage, action: string, user: string): Promise<Response>
  /** What this user alone is told because of what is done. */
  told(user: string, act: () => Promise<unknown>): Promise<Ephemeral>
  /** Presses a button, and reads what the one who pressed it is told. */
  answerTo(message: SlackMessage, action: string, user: string): Promise<string>
  /** A request to where Slack's requests arrive. */
  send(request: { body: string; headers: Record<string, string> }): Promise<Response>
  /** Makes the Slack user this person, the way that people do it. */
  link(user: string, person: PersonName): Promise<void>
  close(): Promise<void>
}

const slackPolicies = (approval = '') => ({
  'policies.yaml': `rules:
  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }
  - { name: writes, on: crm, what: { http: { method: POST } }, then: allow }
  - name: refunds-need-a-lead
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    risk: high
    approval:
      from: { group: support-leads }
      channels: ['slack:#approvals']
      scope: [once, { minutes: 15 }]
      ${approval}
  - name: erasure-is-critical
    on: crm
    what: { http: { path: /v1/erasures } }
    then: hold
    risk: critical
    approval: { from: { group: support-leads }, channels: ['slack:#approvals'] }
  - name: hasty-refunds
    on: crm
    what: { http: { path: /v1/hasty } }
    then: hold
    approval: { from: { group: support-leads }, expires: 1s, channels: ['slack:#approvals'] }
  - name: alike-by-path
    on: crm
    what: { http: { path: /v1/notes/** } }
    then: hold
    approval:
      from: { group: support-leads }
      channels: ['slack:#approvals']
      scope: [once, { minutes: 1, match: [http.path] }]
  - name: two-have-to-agree
    on: crm
    what: { http: { path: /v1/payouts } }
    then: hold
    approval: { from: { group: support-leads }, quorum: 2, channels: ['slack:#approvals'] }
`,
})

export async function startSlackGateway({
  mode = 'http',
  approval,
  troubleAtStart = 'none',
}: {
  mode?: 'http' | 'socket'
  approval?: string
  troubleAtStart?: Trouble
} = {}): Promise<SlackGateway> {
  const slack = await startSlackServer()
  slack.setTrouble(troubleAtStart)
  const upstream = await startCountingUpstream()
  const secret =
    mode === 'http' ? `signing_secret: ${slack.signingSecret}` : 'app_token: xapp-of-the-test'
  const gateway = await startTestGateway({
    upstream: upstream.url,
    policies: slackPolicies(approval),
    config: `channels:
  slack: { team: ${slack.team}, bot_token: xoxb-of-the-test, ${secret}, api_url: '${slack.apiUrl}' }`,
  })

  const send: SlackGateway['send'] = ({ body, headers }) =>
    fetch(`${gateway.controlUrl}/slack/events`, { method: 'POST', headers, body })
  const press: SlackGateway['press'] = async (message, action, user) => {
    const click = slack.pressed(message, action, user)
    if (mode === 'http') return send(slack.sign(click))
    await slack.sendOverSocket(click)
    return new Response()
  }

  const hold = holdWith(gateway, () => {
    const known = new Set(slack.messages)
    return slack.message((one) => !known.has(one) && one.threadTs === null)
  })

  const told: SlackGateway['told'] = async (user, act) => {
    const before = slack.ephemerals.length
    await act()
    return slack.ephemeral(user, before)
  }

  return {
    slack,
    gateway,
    upstream,
    send,
    press,
    hold,
    told,
    answerTo: async (message, action, user) =>
      (await told(user, () => press(message, action, user))).text,
    async link(user, person) {
      const { message, approval: waiting } = await hold()
      const { text } = await told(user, () => press(message, 'sallyport_deny', user))
      await typeCode(gateway, person, codeIn(text))
      await gateway.vote('dana', waiting, 'deny')
    },
    async close() {
      await gateway.close()
      await slack.close()
      await upstream.close()
    },
  }
}

/** The link that an account was given, and the code beside it, as the console sends them. */
export const codeIn = (text: string): string =>
  `${/#\/link\/([\w-]+)/.exec(text)![1]}.${/type the code ([\w-]+)/.exec(text)![1]}`
