import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/gate/notices/channel.ts'
import {
  channelHealth,
  claimNotices,
  hastenNotices,
  noteDelivered,
  noteFailed,
  type Claimed,
} from '../../src/approvals/outbox.ts'
import { announceEverywhere } from '../../src/gate/notices/announce.ts'
import { commit } from '../../src/gate/commit.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Delivery, deliveryTimes, type DeliveryTimes } from '../../src/gate/notices/delivery.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import { getApproval } from '../../src/approvals/store.ts'
import { acceptOffer, offerLink } from '../../src/identity/chat-links.ts'
import { collectEvents } from '../support/control-plane.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import type { Store } from '../../src/store/db.ts'
import { openTestStore } from '../support/store.ts'
import { RecordingChannel } from './recorder.ts'

const quick: DeliveryTimes = { ...deliveryTimes, lookEvery: 20, firstPause: 20, longestPause: 100 }

let store: Store
let scenes = 0
const running: Delivery[] = []

beforeAll(async () => {
  store = await openTestStore()
})

afterEach(async () => {
  for (const delivery of running.splice(0)) await delivery.stop()
})

const policies = (approval: string) => `rules:
  - name: refunds
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    approval: { from: { group: leads }, ${approval} }
`

interface Scene {
  readonly gate: GateContext
  readonly chat: RecordingChannel
  readonly pager: RecordingChannel
  /** Asks for something, and resolves with the approval's id. */
  ask(note: string): Promise<string>
  vote(id: string, decision?: 'approve' | 'deny' | 'break_glass'): Promise<void>
}

/** A rule that asks for this approval. Each test has channels of its own: what it calls chat: and pager: leads there. */
async function open(
  approval: string,
  {
    to = [] as readonly string[],
    replicas = 1,
    times = quick,
  }: { to?: readonly string[]; replicas?: number; times?: DeliveryTimes } = {},
): Promise<Scene> {
  const letter = String.fromCodePoint('a'.codePointAt(0)! + scenes++)
  const own = (text: string) => text.replaceAll(/\b(chat|pager):/g, `$1${letter}:`)
  const [chat, pager] = [
    new RecordingChannel(`chat${letter}`),
    new RecordingChannel(`pager${letter}`),
  ]
  const gate = await openTestGate(store, policies(own(approval)), {
    channels: [chat.name, pager.name],
    to: to.map(own),
    remindMs: undefined,
    escalate: undefined,
  })
  for (let i = 0; i < replicas; i++) {
    for (const channel of [chat, pager]) {
      const consoleUrl = 'https://console.test'
      running.push(new Delivery(channel, { gate, consoleUrl, onAttempt() {}, times }))
    }
  }
  return {
    gate,
    chat,
    pager,
    async ask(note) {
      const attempt = attemptAt(`${note} of scene ${letter}`)
      const problem = await new Gate(gate).enforce(attempt).catch((error: unknown) => error)
      return (problem as { members: { task: { id: string } } }).members.task.id
    },
    async vote(id, decision = 'approve') {
      const { digest, viewHash } = (await getApproval(store, id))!
      const lead = await person(store, 'lena', ['leads'])
      const reason = 'the shop is down'
      const ballot = { approval: id, decision, digest, viewHash, reason, scope: 'once' as const }
      await castVote(gate, lead, { ...ballot, channel: 'console' })
    },
  }
}

const healthOf = ({ gate, chat, pager }: Scene) =>
  channelHealth(gate.store, [chat.name, pager.name])

describe('the outbox', () => {
  it('tells every place that the rule names, once each, and what became of it in the same message', async () => {
    const { chat, pager, ask, vote } = await open(
      "channels: [console, 'chat:#leads', 'chat:#ops', 'pager:night']",
    )
    const id = await ask('one')
    await expect.poll(() => chat.shown.size + pager.shown.size).toBe(3)
    expect([...chat.shown.values()].map(({ target }) => target).toSorted()).toEqual([
      '#leads',
      '#ops',
    ])
    const [notice] = chat.told
    expect(notice).toMatchObject({
      link: `https://console.test/#/approvals/${id}`,
      story: { state: 'pending', agent: 'refund-bot', chain: ['priya', 'refund-bot', 'crm'] },
    })
    await vote(id)
    await expect
      .poll(() => [...chat.shown.values(), ...pager.shown.values()].map((it) => it.story.verdict))
      .toEqual(['Approved by lena', 'Approved by lena', 'Approved by lena'])
  })

  it('says what the action would do, where that was found out beforehand', async () => {
    const { gate, chat } = await open("channels: ['chat:#leads']")
    const attempt = attemptAt('impact')
    const attributes = { ...attempt.action.attributes, impact: { rows: 120 } }
    const action = { ...attempt.action, attributes }
    await new Gate(gate).enforce({ ...attempt, action }).catch(() => undefined)
    await expect
      .poll(() => chat.told[0]?.story.impact)
      .toBe('about 120 rows, as the database estimates')
  })

  it('delivers each message once, however many replicas look', async () => {
    const { chat, ask } = await open("channels: ['chat:#leads']", { replicas: 3 })
    await Promise.all(Array.from({ length: 12 }, (_, i) => ask(`many ${i}`)))
    await expect.poll(() => chat.shown.size).toBe(12)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(chat.shown.size).toBe(12)
  })

  it('is as durable as the step that it tells of: what is undone is not told', async () => {
    const { gate, chat, ask } = await open('channels: [console]')
    const approval = (await getApproval(gate.store, await ask('undone')))!
    const everywhere = { ...gate.announcing, to: [`${chat.name}:#leads`] }
    const step = (end: () => void) =>
      commit(gate, async ({ tx }) => {
        await announceEverywhere(tx, approval, everywhere)
        end()
      })
    const undone = step(() => {
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(chat.attempts).toBe(0)
    await step(() => {})
    await expect.poll(() => chat.shown.size).toBe(1)
  })

  it('tries again, longer apart each time, and loses nothing; another channel does not notice', async () => {
    const scene = await open("channels: ['chat:#leads', 'pager:x']")
    const { chat, pager, ask, vote } = scene
    chat.failWith = new DeliveryError('it says no')
    const id = await ask('dead')
    await expect.poll(() => pager.shown.size).toBe(1)
    await expect.poll(() => chat.attempts).toBeGreaterThan(2)
    await expect
      .poll(() => healthOf(scene))
      .toMatchObject([
        { waiting: 1, lastError: 'it says no', lastSuccess: null },
        { waiting: 0, lastError: null },
      ])
    await vote(id)
    chat.failWith = null
    await expect
      .poll(() => [...chat.shown.values()].map((it) => it.story.state))
      .toEqual(['approved'])
    await expect
      .poll(() => channelHealth(store, [chat.name]))
      .toMatchObject([{ waiting: 0, oldest: null }])
  })

  it('tells of a defect in a channel by its name alone: its words may hold a secret', async () => {
    const { chat, ask } = await open("channels: ['chat:#leads']")
    chat.failWith = new TypeError('token xoxb-secret is not a function')
    await ask('defect')
    await expect
      .poll(async () => (await channelHealth(store, [chat.name]))[0]!.lastError)
      .toBe('unexpected failure (TypeError)')
  })

  it('leaves a channel alone for as long as it asks, with everything', async () => {
    const { chat, ask } = await open("channels: ['chat:#leads']")
    chat.failWith = new DeliveryError('busy', { retryAfterMs: 60_000 })
    await ask('first')
    await expect
      .poll(() => channelHealth(store, [chat.name]))
      .toMatchObject([{ lastError: 'busy' }])
    chat.failWith = null
    await ask('second')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(chat.attempts).toBe(1)
  })

  it('holds nothing back when the clock is set back; what waits for its time still does', async () => {
    const scene = await open(
      "channels: ['chat:#leads'], remind: 5m, escalate: { after: 10m, to: ['chat:#wide'] }",
      {
        replicas: 0,
      },
    )
    const id = await scene.ask('a clock that goes back')
    const anHourOn = (columns: readonly string[], where = 'true') =>
      store.query(
        `UPDATE sallyport.notices SET ${columns.map((name) => `${name} = clock_timestamp() + interval '1 hour'`).join(', ')}
          WHERE approval = $1 AND ${where}`,
        [id],
      )
    const claim = () => claimNotices(store, scene.chat.name, crypto.randomUUID(), 10, 60_000)
    const targets = (rows: readonly Claimed[]) =>
      rows.map(({ purpose, target }) => `${purpose} ${target}`)

    await anHourOn(['due_at'])
    const [first, ...others] = await claim()
    expect(targets([first!, ...others])).toEqual(['announce #leads'])
    // It failed an hour from now, by the clock as it was.
    await noteFailed(store, first!, 'no answer', 60_000)
    expect(await claim()).toEqual([])
    await anHourOn(['due_at', 'failed_at'], 'attempts > 0')
    const [again] = await claim()
    expect(targets([again!])).toEqual(['announce #leads'])
    // Something has changed an hour from now.
    await noteDelivered(store, again!, { message: 1 })
    await scene.vote(id, 'deny')
    await anHourOn(['due_at'])
    expect(targets(await claim())).toEqual(['announce #leads'])
  })

  it('says a thing to a wider group at once when somebody breaks the glass, whatever the clock says', async () => {
    const scene = await open(
      "channels: ['chat:#leads'], escalate: { after: 10m, to: ['chat:#wide'] }",
      {
        replicas: 0,
      },
    )
    const id = await scene.ask('a clock that goes back meanwhile')
    await store.tx((tx) => hastenNotices(tx, id))
    const [due] = await store.query<{ due: Date }>(
      `SELECT due_at AS due FROM sallyport.notices WHERE approval = $1 AND purpose = 'escalate'`,
      [id],
    )
    expect(due!.due.getTime()).toBe(0)
  })

  it('gives up on what is days old, and does not count it as waiting', async () => {
    const { chat, ask } = await open("channels: ['chat:#leads']", {
      times: { ...quick, giveUpAfter: -60_000 },
    })
    chat.failWith = new DeliveryError('gone for good')
    await ask('old')
    await expect.poll(() => chat.attempts).toBe(1)
    await expect
      .poll(() => channelHealth(store, [chat.name]))
      .toMatchObject([{ waiting: 0, lastError: 'gone for good' }])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(chat.attempts).toBe(1)
  })
})

describe('who else is told, and when', () => {
  /** As if it were time to say everything about these that is to be said later. */
  const comeDue = async (...approvals: string[]) => {
    // By then, what was to be said at once has been said.
    const unsaid = () =>
      store.query(
        "SELECT id FROM sallyport.notices WHERE approval = ANY ($1::uuid[]) AND purpose = 'announce' AND shown < wanted",
        [approvals],
      )
    await expect.poll(unsaid).toEqual([])
    await store.query(
      'UPDATE sallyport.notices SET due_at = clock_timestamp() WHERE approval = ANY ($1::uuid[]) AND due_at > clock_timestamp()',
      [approvals],
    )
  }

  it('the places of the configuration, for a rule that names none', async () => {
    const { chat, ask } = await open('quorum: 1', {
      to: ['chat:#default', 'console'],
    })
    await ask('default')
    await expect.poll(() => [...chat.shown.values()].map((it) => it.target)).toEqual(['#default'])
  })

  it('nobody outside, for a rule that names the console alone', async () => {
    const { chat, ask } = await open('channels: [console]', {
      to: ['chat:#default'],
    })
    await ask('console only')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(chat.attempts).toBe(0)
  })

  it('everybody who may decide and has linked an account, each by themselves; nobody who is behind the action', async () => {
    const { gate, chat, ask } = await open("channels: ['chat:@approvers']")
    const { recorder } = collectEvents()
    for (const [name, groups] of [
      ['lena', ['leads']],
      ['omar', ['leads', 'others']],
      ['noor', ['others']],
      // Owns the agent.
      ['priya', ['leads']],
    ] as const) {
      const somebody = await person(gate.store, name, groups)
      const account = { channel: chat.name, tenant: 'T1', member: `U-${name}`, name }
      const { link, shown } = await offerLink(gate.store, account)
      await acceptOffer({ store: gate.store, recorder }, somebody, `${link}.${shown}`)
    }
    await ask('by name')
    const targets = () => [...chat.shown.values()].map((it) => it.target).toSorted()
    await expect.poll(targets).toEqual(['@U-lena', '@U-omar'])
  })

  it('a wider group, if nobody has decided after a while; not if somebody has', async () => {
    const { chat, pager, ask, vote } = await open(
      "channels: ['chat:#leads'], expires: 2h, escalate: { after: 1h, to: ['pager:night'] }",
    )
    const [decided, left] = [await ask('decided'), await ask('left')]
    await vote(decided)
    await expect.poll(() => chat.shown.size).toBe(2)
    expect(pager.attempts).toBe(0)
    await comeDue(decided, left)
    await expect.poll(() => pager.shown.size).toBe(1)
    expect(pager.told[0]).toMatchObject({ purpose: 'escalate', story: { id: left } })
    // From then on it hears how it ends.
    await vote(left, 'deny')
    await expect
      .poll(() => [...pager.shown.values()].map((it) => it.story.verdict))
      .toEqual(['Denied by lena: the shop is down'])
  })

  it('the same place, shortly before the expiry, with where it was told first', async () => {
    const { chat, ask, vote } = await open("channels: ['chat:#leads'], expires: 2h, remind: 1h")
    const [decided, left] = [await ask('decided'), await ask('left')]
    await vote(decided)
    const reminders = () => chat.told.filter(({ purpose }) => purpose === 'remind')
    await comeDue(decided, left)
    await expect.poll(reminders).toHaveLength(1)
    expect(reminders()[0]).toMatchObject({ story: { id: left, state: 'pending' } })
    expect(reminders()[0]!.announced).toEqual({ message: expect.stringMatching(/^chat\w \d$/) })
  })

  it('everybody, and at once, when somebody breaks the glass', async () => {
    const { chat, pager, ask, vote } = await open(
      "channels: [console], break_glass: { from: { group: leads } }, escalate: { after: 1h, to: ['pager:night'] }",
      { to: ['chat:#default'] },
    )
    const id = await ask('emergency')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(chat.attempts + pager.attempts).toBe(0)
    await vote(id, 'break_glass')
    const said = 'Released alone, in an emergency, by lena: the shop is down'
    await expect.poll(() => chat.told.map((it) => it.story.verdict)).toContain(said)
    await expect.poll(() => pager.told.map((it) => it.story.verdict)).toContain(said)
  })
})
