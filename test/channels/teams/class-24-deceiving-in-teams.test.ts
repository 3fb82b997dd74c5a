import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { cardOf } from '../../../src/channels/teams/card.ts'
import { unseen } from '../../../src/core/unseen.ts'
import type { Story } from '../../../src/gate/notices/story.ts'
import { buttonOf, type Card } from '../../support/teams-server.ts'
import { startTeamsGateway, textOf, type TeamsGateway } from './teams-gateway.ts'

let here: TeamsGateway

beforeAll(async () => {
  here = await startTeamsGateway()
})

afterAll(() => here.close())

/** Every element that has a text. */
function texts(value: unknown): { type: string; text: string }[] {
  if (Array.isArray(value)) return value.flatMap(texts)
  if (typeof value !== 'object' || value === null) return []
  const { type, text, ...others } = value as { type?: string; text?: unknown }
  return [
    ...(typeof text === 'string' ? [{ type: type ?? '', text }] : []),
    ...Object.values(others).flatMap(texts),
  ]
}

const instant = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
const countdown = new RegExp(
  String.raw`^Expires \{\{DATE\(${instant}, SHORT\)\}\} \{\{TIME\(${instant}\)\}\}$`,
)

/** Where Adaptive Cards look for Markdown there is nothing but an instant; where they look for dates, in one run, there is none. */
function expectNoMarkup({ body }: Card): void {
  for (const { type, text } of texts(body)) {
    if (type === 'TextBlock') expect(text).toMatch(countdown)
    else {
      expect(type).toBe('TextRun')
      expect(text).not.toMatch(/\{\{(DATE|TIME)/i)
      expect(text).not.toBe('')
      expect([...text.replaceAll('\u00A0', ' ').matchAll(unseen)]).toEqual([])
    }
  }
}

async function done(held: Awaited<ReturnType<TeamsGateway['hold']>>): Promise<void> {
  await here.gateway.vote('dana', held.approval, 'deny')
  await held.answer
}

describe('class 24, deceiving the approver: in Teams', () => {
  it.each([
    ['mentions somebody', '<at>dana</at> @everyone', '<at>dana</at> @everyone'],
    ['links elsewhere', '[Open in the console](https://evil.test)', '[Open in the console](https'],
    ['is Markdown', '**Approved by dana**\\n\\n# Safe', '**Approved by dana**'],
    ['becomes a date', '{{DATE(2017-02-14T06:08:39Z)}}', '{{DATE(2017-02-14T06:08:39Z)}}'],
    ['fills in a template', '${$root.secret}', '${$root.secret}'],
    ['reorders with bidi controls', 'a\u202Eb\u2066c', 'a⟨U+202E⟩b⟨U+2066⟩c'],
    ['hides behind what is invisible', 'a\u200Bb\u{e0041}', 'a⟨U+200B⟩b⟨U+E0041⟩'],
  ])('text that %s is shown as what it is, and does nothing', async (_, text, shown) => {
    const held = await here.hold({ body: { text } })
    const { card } = held.message
    expect(textOf(card)).toContain(shown)
    expectNoMarkup(card)
    expect(card.actions.map(({ title }) => title)).toEqual([
      'Approve once',
      'Approve for 15 minutes',
      'Deny',
      'Open in the console',
    ])
    await done(held)
  })

  it('blanks that a client would leave out are there', async () => {
    const held = await here.hold({ body: '{"a":  1,\n   "b": 2 }' })
    expect(texts(held.message.card.body).map(({ text }) => text)).toEqual(
      expect.arrayContaining(['{"a": \u00A01,', '\u00A0\u00A0\u00A0"b": 2 }']),
    )
    await done(held)
  })

  it('a notification says nothing that an agent could have written', async () => {
    const held = await here.hold({ claims: { sub: '<at>dana</at>' } })
    expect(held.message.summary).toBe('An action of an agent waits for approval')
    await done(held)
  })

  it.each([
    ['does not fit', { note: 'x'.repeat(3001) }],
    ['would be too many bytes for Teams', { note: '{{DATE'.repeat(450) }],
    ['would be folded away', `{"a":1${'\n'.repeat(200)},"b":"at the very end"}`],
  ])('what %s has no Approve: it can be denied, or opened', async (_, body) => {
    const held = await here.hold({ body })
    const { message } = held
    expect(buttonOf(message, 'Approve once')).toBeUndefined()
    expect(buttonOf(message, 'Approve for 15 minutes')).toBeUndefined()
    expect(buttonOf(message, 'Deny')).toBeDefined()
    expect(buttonOf(message, 'Open in the console')!.url).toContain(
      `/#/approvals/${held.approval.id}`,
    )
    expect(textOf(message.card)).toContain('Open it in the console.')
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
  impact: null,
  data: null,
  agentReason: null,
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

test('class 24: whatever the texts are, a card is small enough for Teams, and an Approve stands below everything that would run', () => {
  const letters = fc.string({ unit: 'grapheme', maxLength: 4000, size: 'large' })
  const hostile = fc.string({
    unit: fc.constantFrom('{{DATE(', '\n', ' ', '"', '字'),
    maxLength: 900,
  })
  const plain = (text: string) => text.replaceAll(unseen, '?')
  const text = fc.oneof(letters, hostile).map(plain)
  const lines = fc.oneof(letters, hostile).map((all) => all.split('\n').map(plain).join('\n'))
  const stories = fc.record({
    summary: text,
    chain: fc.array(text, { maxLength: 5 }),
    reason: text,
    rules: fc.array(text, { maxLength: 5 }),
    impact: fc.option(text),
    agentReason: fc.option(text),
    needs: fc.array(fc.record({ from: text, quorum: fc.nat(9), approvedBy: fc.array(text) }), {
      maxLength: 30,
    }),
    parts: fc.array(fc.record({ label: text, text: lines }), { maxLength: 6 }),
    verdict: fc.option(text),
    risk: fc.constantFrom('high' as const, 'critical' as const),
  })
  let approvable = 0
  const property = fc.property(stories, (said) => {
    const told = { ...story, ...said }
    const card = cardOf({
      story: told,
      link: 'https://console.test/#/x',
      purpose: 'announce',
    }) as unknown as Card
    expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThanOrEqual(28_000)
    expectNoMarkup(card)
    if (!buttonOf({ card }, 'Approve once')) return
    approvable += 1
    const shown = textOf(card)
    for (const part of told.parts) {
      const lines = part.text === '' ? ['(empty)'] : part.text.split('\n')
      // An empty line takes a blank to be there.
      expect(shown).toContain(lines.map((line) => line || ' ').join('\n'))
    }
  })
  fc.assert(property, { numRuns: 200, endOnFailure: true })
  expect(approvable).toBeGreaterThan(0)
})
