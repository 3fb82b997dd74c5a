import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { ShownEvidence } from '../../../src/console/ui/api/types.ts'
import { expectAccessible } from '../chromium.ts'
import { describeInBrowser, goTo } from './in-browser.ts'

const markup =
  '<img src=https://evil.example/x onerror=alert(1)><script>alert(2)</script>" onfocus="alert(3) \u202Elive\u202C javascript:alert(4)'
const shown = markup.replaceAll('\u202E', '⟨U+202E⟩').replaceAll('\u202C', '⟨U+202C⟩')

/** What the gateway alone decides: its ids, hashes, times and words. Everything else can come from somebody else. */
const ours = new Set(
  [
    'id',
    'state',
    'risk',
    'kind',
    'decision',
    'effect',
    'type',
    'digest',
    'view_hash',
    'policy',
    'hash',
  ].concat([
    'at',
    'time',
    'result',
    'verdict',
    'then',
    'matches',
    'by',
    'action.name',
    'cursor',
    'next',
    'approval',
    'trace',
    'scope_options',
  ]),
)

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** The same answer with mark-up in the place of every text that is not the gateway's own. */
function hostile(value: Json, name = ''): Json {
  if (Array.isArray(value)) return value.map((one) => hostile(one, name))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hostile(one, key)]))
  }
  if (typeof value !== 'string' || ours.has(name) || name.endsWith('_at') || name === 'base64') {
    return value
  }
  return markup
}

async function poison(page: Page, path: string, more: (answer: Json) => Json = (it) => it) {
  await page.route(
    (url) => url.pathname === path,
    async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: more(hostile((await response.json()) as Json)) })
    },
  )
}

/** The mark-up stands there as text, and nothing on the page came out of it. */
async function expectInert(page: Page): Promise<void> {
  await page.locator('main :is(.data, .row)').filter({ hasText: '<img src=' }).first().waitFor()
  const made = 'main :is(img, script, iframe, [style], [onfocus], [onerror]), main a[href^=java]'
  expect(await page.locator(made).count()).toBe(0)
  expect(await page.locator('main').innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/)
  await expectAccessible(page)
}

describeInBrowser('class 24, deceiving the approver', {}, ({ company, at }) => {
  const held = async () => {
    const body = { order: 'o-1', amount_cents: 12_900, reason: 'x' }
    const headers = { prefer: 'wait=0', 'sallyport-reason': 'because' }
    await (await company().agent('/v1/refunds', body, headers)).text()
  }

  /** A statement in the place of the request, with mark-up in it, in everything that it comes with, and an impact. */
  const asStatement = (answer: Json): Json => {
    const { approvals, ...rest } = answer as { approvals: { [name: string]: Json }[] }
    return {
      ...rest,
      approvals: approvals.map((it) => ({
        ...it,
        impact: { rows: 1_204 },
        action: {
          ...(it['action'] as { [name: string]: Json }),
          payload: {
            text: `select '${markup}' -- ${markup}`,
            database: markup,
            prepared: [{ name: markup, text: markup }],
            values: [markup],
          },
        },
      })),
    }
  }

  test('every field of an approval is inert: in the inbox, on its page, in its announcement', async () => {
    await held()
    const { page, context, alarms } = await at('Dana Okafor')
    await poison(page, '/api/approvals')
    await page.reload()
    await page.getByRole('heading', { name: 'Inbox 1 waiting' }).waitFor()
    await expectInert(page)
    await page.locator('[data-item]').first().click()
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    for (const place of ['.chain', '.why', '.claim', '.requirements', '.action', 'h1']) {
      expect(await page.locator(place).first().innerText(), place).toContain('<img src=')
    }
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('so is a statement, with its colours on', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    await poison(page, '/api/approvals', asStatement)
    await page.reload()
    await page.locator('[data-item]').first().click()
    await page.getByText('about 1,204 rows').waitFor()
    expect(await page.locator('.code.sql').first().innerText()).toContain(
      `select '${shown}' -- ${shown}`,
    )
    expect(await page.locator('.code.sql .token.word').first().textContent()).toBe('select')
    expect(await page.locator('.code.json').innerText()).toContain('<img src=')
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test.each([
    ['/api/audit/events', '#/activity', 'Activity'],
    ['/api/usage', '#/usage', 'Usage'],
    ['/api/policies', '#/policies', /^Policies/],
    ['/api/keys', '#/keys', 'Keys'],
    ['/api/me', '#/settings', 'Settings'],
  ])('so is every field of %s', async (path, hash, heading) => {
    const { page, context, alarms } = await at('Dana Okafor')
    if (path === '/api/keys') {
      await goTo(page, hash, heading)
      await page.getByRole('button', { name: 'New key' }).click()
      await page.getByLabel('Name').fill('a-key')
      await page.getByRole('button', { name: 'Create key' }).click()
      await page.getByRole('button', { name: 'I have kept it' }).click()
    }
    // Roles are the gateway's own words.
    await poison(page, path, (answer) =>
      path === '/api/me'
        ? { ...(answer as object), roles: ['approver', 'auditor', 'admin'] }
        : answer,
    )
    await page.goto(`${company().consoleUrl}/${hash}`)
    await page.reload()
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('so is a story, and the event behind each of its steps', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    await page.locator('[data-item]').first().click()
    await page.getByRole('link', { name: 'All of it, from the audit log' }).waitFor()
    await poison(page, '/api/audit/events')
    await page.getByRole('link', { name: 'All of it, from the audit log' }).click()
    await page.getByText('Event approval.requested').click()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('so is what a chat calls its members, and what a channel or a receiver of the log says went wrong', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    const account = { channel: 'slack', tenant: markup, member: markup, name: markup }
    const answers: Readonly<Record<string, object>> = {
      '/api/links': { links: [{ ...account, linked_at: '2026-11-22T12:00:00.000Z' }] },
      '/api/links/offer': account,
      '/api/channels': {
        channels: [
          {
            name: markup,
            waiting: 2,
            oldest: '2026-11-22T12:00:00.000Z',
            last_success: null,
            last_failure: '2026-11-22T12:00:00.000Z',
            last_error: markup,
          },
        ],
      },
      '/api/audit/deliveries': {
        deliveries: [
          {
            name: markup,
            to: markup,
            state: 'failing',
            lag: { events: 3, since: '2026-11-22T12:00:00.000Z' },
            last_success: null,
            last_failure: '2026-11-22T12:00:00.000Z',
            last_error: markup,
          },
        ],
      },
    }
    for (const [path, json] of Object.entries(answers)) {
      await page.route(
        (url) => url.pathname === path,
        (route) => route.fulfill({ json }),
      )
    }
    await goTo(page, '#/settings', 'Settings')
    await page.getByText('2 messages waiting').waitFor()
    await page.getByText('3 events not there yet').waitFor()
    await expectInert(page)
    await page.getByRole('button', { name: 'Unlink' }).click()
    await page.getByRole('dialog', { name: 'Unlink this account?' }).waitFor()
    await expectInert(page)
    await page.keyboard.press('Escape')
    await goTo(page, '#/link/some-code', 'Link an account')
    await page.getByLabel('The code that your chat shows').fill('ABC-234')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'Yes, it is mine' }).waitFor()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('a link from a chat that is not one links nothing, and says so', async () => {
    const { page, context } = await at('Dana Okafor')
    await goTo(page, '#/link/not-a-code', 'Link an account')
    await page.getByLabel('The code that your chat shows').fill('ABC-234')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('button', { name: 'Yes, it is mine' }).count()).toBe(0)
    await expectAccessible(page)
    await context.close()
  })

  test('so is what policies answer', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    await poison(page, '/api/policies/explain')
    await goTo(page, '#/policies?view=ask', /^Policies/)
    await page.getByLabel('Resource').fill('crm')
    await page.getByRole('button', { name: 'What would be decided?' }).click()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('so are the searches that somebody saved, and a run whose trace somebody else chose', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    const searches = [{ name: markup, query: { q: markup, subject: markup } }]
    await page.route(
      (url) => url.pathname === '/api/audit/searches',
      (route) => route.fulfill({ json: { searches } }),
    )
    await goTo(page, '#/activity', 'Activity')
    await page.getByText('Saved searches (1)').click()
    await expectInert(page)
    await page.locator('.saved a').click()
    await expect.poll(() => page.getByLabel('Words in the events').inputValue()).toBe(markup)

    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`
    await (await company().agent('/v1/refunds', {}, { prefer: 'wait=0', traceparent })).text()
    await poison(page, `/api/audit/traces/${trace}`)
    await goTo(page, `#/runs/${trace}`, 'A run, call by call')
    await page.locator('.calls summary').first().click()
    await page.getByText('Event action.decided').first().click()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('so is the evidence, whoever it is about', async () => {
    await held()
    const { page, context, alarms } = await at('Dana Okafor')
    await page.route(
      (url) => url.pathname === '/api/audit/evidence/report',
      async (route) => {
        const response = await route.fetch()
        const lines = (await response.text()).trimEnd().split('\n')
        const { report } = JSON.parse(lines.at(-1)!) as { report: ShownEvidence }
        const answers = Object.fromEntries(
          Object.entries(report.answers).map(([name, answer]) => [
            name,
            { ...answer, groups: hostile(answer.groups as unknown as Json) },
          ]),
        )
        const findings = [{ kind: 'edited', line: 1, message: markup }]
        const verified = { ...report.verified, ok: false, findings }
        const body = JSON.stringify({ report: { ...report, answers, verified } })
        await route.fulfill({ response, body: `${body}\n` })
      },
    )
    await goTo(page, '#/evidence', 'Evidence')
    await page.getByRole('button', { name: 'Read the log' }).click()
    await page.getByRole('heading', { name: 'What the log says' }).waitFor()
    await expectInert(page)
    expect(alarms).toEqual([])
    await context.close()
  })
})
