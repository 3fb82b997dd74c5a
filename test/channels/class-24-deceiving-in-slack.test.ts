import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { messageOf } from '../../src/channels/slack/message.ts'
import type { Story } from '../../src/gate/notices/story.ts'
import { unseen } from '../../src/core/unseen.ts'
import { buttonOf, type SlackBlock, type SlackMessage } from '../support/slack-server.ts'
import { startSlackGateway, type SlackGateway } from './slack-gateway.ts'

let here: SlackGateway

beforeAll(async () => {
  here = await startSlackGateway()
})

afterAll(() => here.close())

/** Every text in a message, with the type of the element that it is in. */
function textsOf(value: unknown, type = ''): { type: string; text: string }[] {
  if (Array.isArray(value)) return value.flatMap((one) => textsOf(one, type))
  if (typeof value !== 'object' || value === null) return []
  const { type: own = type, text, ...others } = value as { type?: string; text?: unknown }
  return [
    ...(typeof text === 'string' ? [{ type: own, text }] : textsOf(text, own)),
    ...Object.values(others).flatMap((one) => textsOf(one, own)),
  ]
}

const inert = new Set(['plain_text', 'text'])

/** Where Slack looks for mark-up there is nothing but our own words, an instant and a number. */
function expectNoMarkup(blocks: readonly SlackBlock[]): void {
  for (const { type, text } of textsOf(blocks)) {
    if (inert.has(type)) continue
    expect(type).toBe('mrkdwn')
    expect(text).toMatch(
      /^Expires <!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[\d: -]+ UTC>$/,
    )
  }
}

function expectNothingUnseen(message: Pick<SlackMessage, 'blocks' | 'text'>): void {
  for (const { text } of [...textsOf(message.blocks), { text: message.text }]) {
    expect([...text.replaceAll('\n', '').matchAll(unseen)]).toEqual([])
  }
}

async function done(held: Awaited<ReturnType<SlackGateway['hold']>>): Promise<void> {
  await here.gateway.vote('dana', held.approval, 'deny')
  await held.answer
}

describe('class 24, deceiving the approver: in Slack', () => {
  it.each([
    ['mentions everybody', '<!channel> <@U-DANA> @here', '<!channel> <@U-DANA> @here'],
    ['links elsewhere', '<https://evil.test|Open in the console>', '<https://evil.test|Open'],
    ['breaks out of a code block', '``` *Approved by dana* ```', '``` *Approved by dana* ```'],
    ['forges a button', '[Approve once](https://evil.test)', '[Approve once](https://evil.test)'],
    ['reorders with bidi controls', 'a\u202Eb\u2066c', 'a⟨U+202E⟩b⟨U+2066⟩c'],
    ['hides behind what is invisible', 'a\u200Bb\u{e0041}', 'a⟨U+200B⟩b⟨U+E0041⟩'],
    ['overwrites a line', 'safe\rDROP', 'safe⟨U+000D⟩DROP'],
  ])('text that %s is shown as what it is, and does nothing', async (_, text, shown) => {
    // As an agent would send it: readable JSON, with the characters themselves in it.
    const held = await here.hold({
      body: text.includes('\r')
        ? `{"note":${JSON.stringify(text).replace('\\r', '')}}\r`
        : { text },
    })
    const { message } = held
    const all = textsOf(message.blocks).map((one) => one.text)
    const expected = text.includes('\r') ? '⟨U+000D⟩' : shown
    expect(all.some((one) => one.includes(expected))).toBe(true)
    expectNoMarkup(message.blocks)
    expectNothingUnseen(message)
    const labels = message.blocks
      .filter(({ type }) => type === 'actions')
      .flatMap((block) => textsOf(block).map((one) => one.text))
    expect(labels).toEqual([
      'Approve once',
      'Approve for 15 minutes',
      'Deny',
      'Open in the console',
    ])
    await done(held)
  })

  it('a notification is escaped: nobody is mentioned by what an agent calls itself or asks for', async () => {
    const held = await here.hold({ claims: { sub: '<!channel>' } })
    expect(held.message.text).toContain('&lt;!channel&gt; wants POST /v1/refunds on crm')
    expect(held.message.text).not.toContain('<')
    await done(held)
  })

  it('what does not fit whole has no Approve: it can be denied, or opened', async () => {
    const held = await here.hold({ body: { note: 'x'.repeat(3001) } })
    const { message } = held
    expect(buttonOf(message, 'sallyport_approve')).toBeUndefined()
    expect(buttonOf(message, 'sallyport_approve_minutes')).toBeUndefined()
    expect(buttonOf(message, 'sallyport_deny')).toBeDefined()
    expect(buttonOf(message, 'sallyport_open')!.url).toContain(`/#/approvals/${held.approval.id}`)
    expect(JSON.stringify(message.blocks)).toContain('Open it in the console.')
    await done(held)
  })

  it('what would be folded away, far below the rest, counts as not shown', async () => {
    const held = await here.hold({ body: `{"a":1${'\n'.repeat(200)},"b":"at the very end"}` })
    expect(buttonOf(held.message, 'sallyport_approve')).toBeUndefined()
    await done(held)
  })
})

const story: Story = {
  id: '0198c0de-0000-7000-8000-000000000000',
  state: 'pending',
  summary: '',
  agent: '',
  chain: [],
  resource: 'crm',
  effect: 'write',
  rules: [],
  reason: '',
  risk: 'high',
  agentReason: null,
  impact: null,
  data: null,
  ranBefore: null,
  needs: [],
  parts: [],
  grants: [{ scope: { minutes: 15 }, label: 'Approve for 15 minutes', words: 'For 15 minutes.' }],
  breakGlass: false,
  createdAt: new Date(0),
  expiresAt: new Date(0),
  digest: 'd'.repeat(64),
  viewHash: 'v'.repeat(64),
  verdict: null,
  outcome: null,
}

test('class 24: whatever the texts are, the message keeps to Slack’s limits, and an Approve stands below everything that would run', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 4000, size: 'large' })
  const stories = fc.record({
    summary: text,
    agent: text,
    chain: fc.array(text, { maxLength: 5 }),
    reason: text,
    rules: fc.array(text, { maxLength: 5 }),
    agentReason: fc.option(text),
    impact: fc.option(text),
    needs: fc.array(fc.record({ from: text, quorum: fc.nat(9), approvedBy: fc.array(text) }), {
      maxLength: 30,
    }),
    parts: fc.array(fc.record({ label: text, text }), { maxLength: 30 }),
    verdict: fc.option(text),
  })
  const property = fc.property(stories, (texts) => {
    const told = { ...story, ...texts }
    const message = messageOf({
      story: told,
      link: 'https://console.test/#/x',
      purpose: 'announce',
    })
    const blocks = message.blocks as unknown as SlackBlock[]
    expect(blocks.length).toBeLessThanOrEqual(50)
    expectNoMarkup(blocks)
    expect(message.text).not.toMatch(/[<>]/)
    for (const block of blocks) {
      if (block.type === 'header') expect(textsOf(block)[0]!.text.length).toBeLessThanOrEqual(150)
      for (const { text: one } of block.type === 'section' ? textsOf(block) : []) {
        expect(one.length).toBeLessThanOrEqual(3000)
        expect(one.length).toBeGreaterThan(0)
      }
    }
    if (!buttonOf({ blocks }, 'sallyport_approve')) return
    const shown = textsOf(blocks).map((one) => one.text)
    for (const part of told.parts) expect(shown).toContain(part.text === '' ? '(empty)' : part.text)
  })
  fc.assert(property, { numRuns: 100, endOnFailure: true })
})
