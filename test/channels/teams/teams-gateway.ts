import { startCountingUpstream, type CountingUpstream } from '../../support/counting-upstream.ts'
import type { PersonName } from '../../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../../support/gateway.ts'
import {
  startTeamsServer,
  type Activity,
  type Card,
  type TeamsMessage,
  type TeamsServer,
} from '../../support/teams-server.ts'
import { holdWith, typeCode, type Asked, type Held } from '../chat-scene.ts'

/** Their object ids in the directory. */
export const accounts = {
  dana: '00000000-0000-4000-8000-00000000000d',
  noor: '00000000-0000-4000-8000-00000000000e',
  omar: '00000000-0000-4000-8000-00000000000f',
  priya: '00000000-0000-4000-8000-000000000010',
  lena: '00000000-0000-4000-8000-000000000011',
} as const satisfies Record<PersonName, string>

/** A gateway with a Teams beside it, whose team has the app, and an upstream that counts. */
export interface TeamsGateway {
  readonly teams: TeamsServer
  readonly gateway: TestGateway
  readonly upstream: CountingUpstream
  /** The agent asks for a refund that nobody has asked for before, and waits. */
  hold(asked?: Asked): Promise<Held<TeamsMessage>>
  /** Sends what Teams would, with a token that is good unless another is given. */
  send(activity: Activity, token?: string): Promise<Response>
  /** Somebody presses a button: the card that they see then. */
  press(
    message: Pick<TeamsMessage, 'conversation' | 'id' | 'card'>,
    title: string,
    user: PersonName,
    inputs?: Record<string, string>,
  ): Promise<Card>
  /** Makes the account this person's, the way that people do it. */
  link(...names: PersonName[]): Promise<void>
  close(): Promise<void>
}

const to = "channels: ['teams:data-people/data-approvals']"

const policies = {
  'policies.yaml': `rules:
  - { name: writes, on: crm, what: { http: { method: POST } }, then: allow }
  - name: refunds-need-a-lead
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    risk: high
    approval:
      from: { group: support-leads }
      ${to}
      scope: [once, { minutes: 15 }]
  - name: erasure-is-critical
    on: crm
    what: { http: { path: /v1/erasures } }
    then: hold
    risk: critical
    approval: { from: { group: support-leads }, ${to} }
  - name: hasty-refunds
    on: crm
    what: { http: { path: /v1/hasty } }
    then: hold
    approval: { from: { group: support-leads }, expires: 1s, ${to} }
  - name: two-have-to-agree
    on: crm
    what: { http: { path: /v1/payouts } }
    then: hold
    approval: { from: { group: support-leads }, quorum: 2, ${to} }
  - name: reminded-of
    on: crm
    what: { http: { path: /v1/reminded } }
    then: hold
    approval: { from: { group: support-leads }, expires: 600s, remind: 599s, ${to} }
  - name: told-by-id
    on: crm
    what: { http: { path: /v1/by-id } }
    then: hold
    approval: { from: { group: support-leads }, channels: ['teams:19:ops@thread.v2'] }
  - name: told-to-approvers
    on: crm
    what: { http: { path: /v1/approvers } }
    then: hold
    approval: { from: { group: support-leads }, channels: ['teams:@approvers'] }
  - name: told-to-people
    on: crm
    what: { http: { path: /v1/personal } }
    then: hold
    approval: { from: { group: support-leads }, channels: ['teams:@${accounts.dana}'] }
`,
}

export async function startTeamsGateway({
  install = true,
}: { install?: boolean } = {}): Promise<TeamsGateway> {
  const teams = await startTeamsServer()
  const upstream = await startCountingUpstream()
  const gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: `channels:\n${teams.config}`,
  })

  const send: TeamsGateway['send'] = async (activity, token) =>
    fetch(`${gateway.controlUrl}/teams/messages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token ?? (await teams.token())}`,
      },
      body: JSON.stringify(activity),
    })

  const press: TeamsGateway['press'] = async (message, title, user, inputs) => {
    const response = await send(teams.pressed(message, title, accounts[user], inputs))
    if (response.status !== 200) throw new Error(`a click was answered with ${response.status}`)
    return ((await response.json()) as { value: Card }).value
  }

  const hold = holdWith(gateway, () => {
    const known = new Set(teams.messages)
    return teams.message((one) => !known.has(one))
  })

  if (install) {
    const { status } = await send(teams.installed('team'))
    if (status !== 200) throw new Error(`the installation was answered with ${status}`)
  }

  return {
    teams,
    gateway,
    upstream,
    send,
    press,
    hold,
    async link(...names) {
      const { message, approval: waiting } = await hold()
      for (const name of names) {
        const code = codeIn(await press(message, 'Deny', name))
        await typeCode(gateway, name, code)
      }
      await gateway.vote('dana', waiting, 'deny')
    },
    async close() {
      await gateway.close()
      await teams.close()
      await upstream.close()
    },
  }
}

/** The code of the link that an account was given. */
export function codeIn(card: Card): string {
  const link = /#\/link\/([\w-]+)/.exec(JSON.stringify(card))![1]
  return `${link}.${/type\sthe\scode\s([\w-]+)/.exec(textOf(card))![1]}`
}

/** All that somebody reads in a card, a line for each block. */
export function textOf(card: Card): string {
  const read = (value: unknown): string[] => {
    if (Array.isArray(value)) return value.flatMap(read)
    if (typeof value !== 'object' || value === null) return []
    const { inlines, text, items } = value as Record<string, unknown>
    if (Array.isArray(inlines))
      return [(inlines as { text: string }[]).map((run) => run.text).join('')]
    return [...(typeof text === 'string' ? [text] : []), ...read(items)]
  }
  return read(card.body).join('\n').replaceAll('\u00A0', ' ')
}
