import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  chromium,
  expectAccessible,
  launchChromium,
  logIn,
  openPage,
  readAll,
  type StorageState,
} from './chromium.ts'
import { startDemoCompany, type DemoCompany } from './demo-company.ts'

const refund = (order: string, more: object = {}) => ({
  order,
  amount_cents: 12_900,
  reason: 'arrived broken',
  ...more,
})

/** The card of the inbox with these words in it. */
const card = (page: Page, words: string) => page.getByRole('listitem').filter({ hasText: words })

const skipped = 'skipped: there is no Chromium here; install it, or name it in CHROMIUM_PATH'

describe.skipIf(!chromium)(`the console in a browser${chromium ? '' : ` (${skipped})`}`, () => {
  let company: DemoCompany
  let browser: Browser
  /** By name: everybody logs in once. */
  const logins = new Map<string, StorageState>()

  beforeAll(async () => {
    company = await startDemoCompany()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await company?.close()
  })

  afterEach(() => company.denyAll())

  /** A browser of this person's own, at the inbox. */
  async function at(name: string) {
    const opened = await openPage(browser, company.consoleUrl, logins.get(name))
    if (!logins.has(name)) await logIn(opened.page, name)
    logins.set(name, await opened.context.storageState())
    await opened.page.getByRole('heading', { name: /waiting$/ }).waitFor()
    return opened
  }

  test('whoever is not logged in sees one page with one way on', async () => {
    const { page, context, alarms } = await openPage(browser, company.consoleUrl)
    await page.getByRole('heading', { name: 'Sallyport' }).waitFor()
    expect(await page.getByRole('link').allTextContents()).toEqual(['Log in'])
    await expectAccessible(page)
    await page.goto(`${company.consoleUrl}/?login_error=login-denied`)
    await page.getByText('The identity provider did not let you in.').waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })

  test('a held request appears by itself, is approved by somebody else, and the waiting client gets its answer', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByText('Nothing is waiting.').waitFor()
    const waiting = company.agent('/v1/refunds', refund('o-1001'), {
      'sallyport-reason': 'Ticket 1042: the customer wants the money back.',
    })
    const item = card(page, 'POST /v1/refunds')
    await item.waitFor()
    expect(await item.innerText()).toContain('support-agent for priya on crm')
    expect(await item.innerText()).toContain('"amount_cents":12900')
    expect(await item.innerText()).toContain('larger-refunds-need-a-support-lead · 0 of 1 approval')
    expect(await page.title()).toBe('(1) Sallyport')
    expect(await page.getByRole('status').first().textContent()).toContain('New: support-agent')

    await item.getByRole('link').click()
    const article = page.getByRole('article')
    const text = await article.innerText()
    for (const words of [
      'medium risk',
      'priya',
      'support-agent',
      'LARGE_REFUND',
      'This is its own claim; nobody has checked it.',
      'Ticket 1042: the customer wants the money back.',
      '"amount_cents": 12900',
    ]) {
      expect(text).toContain(words)
    }
    await readAll(page)
    expect(company.api.requests).toEqual([])
    await page.getByRole('button', { name: 'Approve once' }).click()
    const answer = await waiting
    expect(answer.status).toBe(201)
    expect(company.api.requests).toEqual([{ method: 'POST', url: '/v1/refunds', status: 201 }])

    await page.getByText('It was approved, and ran once.').waitFor()
    await page.getByText('HTTP 201').first().waitFor()
    expect(await page.getByRole('button', { name: 'Approve once' }).count()).toBe(0)
    await page.getByRole('link', { name: '← Inbox' }).click()
    await card(page, 'Done').waitFor()
    await expectAccessible(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('class 13, self-approval: the owner of the agent is told that somebody else has to decide', async () => {
    const { page, context } = await at('Priya Raman')
    const waiting = company.agent('/v1/refunds', refund('o-1002'))
    await card(page, '0 of 1').getByRole('link').click()
    await readAll(page)
    await page.getByRole('button', { name: 'Approve once' }).click()
    await page.getByText('This is your own action').waitFor()
    expect(await page.getByRole('alert').innerText()).toContain('Somebody else has to decide.')
    await expectAccessible(page)

    // Nor are those who lead no support.
    const { page: omars, context: other } = await at('Omar Haddad')
    await card(omars, '0 of 1').getByRole('link').click()
    await omars.getByRole('button', { name: 'Deny' }).click()
    await omars.getByText('You are not among its approvers').waitFor()
    await omars.getByText('This approval is for support-leads.').waitFor()
    await other.close()

    const { page: danas, context: third } = await at('Dana Okafor')
    await card(danas, '0 of 1').getByRole('link').click()
    await danas.getByLabel('Reason').fill('Out of stock: replace it instead.')
    await danas.getByRole('button', { name: 'Deny' }).click()
    await danas.getByText('An approver said no. It did not run.').waitFor()
    const answer = await waiting
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('Out of stock: replace it instead.')
    // Priya, who looked on, sees it without having asked.
    await page.getByText('An approver said no. It did not run.').waitFor()
    await third.close()
    await context.close()
  })

  test('two people have to agree: the second sees the first vote arrive', async () => {
    const waiting = company.agent('/v1/exports', {
      dataset: 'customers',
      columns: ['id', 'email'],
    })
    const [omar, lena] = [await at('Omar Haddad'), await at('Lena Fischer')]
    for (const { page } of [omar, lena]) {
      await card(page, 'POST /v1/exports').getByRole('link').click()
      await readAll(page)
      await page.getByText('0 of 2').waitFor()
    }
    await omar.page.getByLabel('Reason').fill('For the yearly report.')
    await omar.page.getByRole('button', { name: 'Approve once' }).click()
    await omar.page.getByText('You approved this.').waitFor()
    await lena.page.getByText('1 of 2').waitFor()
    await lena.page.getByText('For the yearly report.').first().waitFor()
    await lena.page.getByRole('button', { name: 'Approve once' }).click()
    expect((await waiting).status).toBe(202)
    for (const { page, context } of [omar, lena]) {
      await page.getByText('It was approved, and ran once.').waitFor()
      await context.close()
    }
  })

  test('in an emergency one person breaks the glass, behind a door of its own, and everybody sees it', async () => {
    const waiting = company.agent('/v1/exports', {
      dataset: 'customers',
      columns: ['id', 'email'],
    })
    const [dana, omar] = [await at('Dana Okafor'), await at('Omar Haddad')]
    for (const { page } of [dana, omar]) {
      await card(page, '0 of 2').getByRole('link').click()
      await readAll(page)
    }
    // Omar may approve it with Lena; alone he may not release it.
    expect(await omar.page.getByText('Emergency: release it alone').count()).toBe(0)

    const glass = dana.page.getByRole('button', { name: 'Break the glass' })
    expect(await glass.isVisible()).toBe(false)
    await dana.page.getByText('Emergency: release it alone').click()
    await dana.page.getByLabel('What is the emergency?').fill(' too short ')
    expect(await glass.isDisabled()).toBe(true)
    await dana.page.getByLabel('What is the emergency?').fill('A regulator asks for it by noon.')
    await expectAccessible(dana.page)
    await glass.click()
    expect((await waiting).status).toBe(202)
    for (const { page, context, alarms } of [omar, dana]) {
      await page.getByText('Released alone, in an emergency').waitFor()
      await page.getByText('A regulator asks for it by noon.').first().waitFor()
      await page.getByText('0 of 2').waitFor()
      await expectAccessible(page)
      await page.getByRole('link', { name: '← Inbox' }).click()
      await card(page, 'released alone, in an emergency').waitFor()
      expect(alarms).toEqual([])
      await context.close()
    }
  })

  test('class 24, deceiving the approver: mark-up and invisible characters are shown, and do nothing', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    const markup = '<img src=https://evil.example/x onerror=alert(1)><script>alert(2)</script>'
    const waiting = company.agent(
      '/v1/refunds',
      refund('o-1003', {
        note: `${markup} \u202Eyllacitamotua\u202C \u200B\u2066a\u2069`,
        [markup]: 1,
      }),
      { 'sallyport-reason': `${markup} [approve](javascript:alert(3))`, 'x-note': markup },
    )
    await card(page, '0 of 1').getByRole('link').click()
    const article = page.getByRole('article')
    for (const view of ['Formatted', 'As sent', 'Bytes']) {
      await page.getByRole('radio', { name: view }).check()
      expect(await page.locator('main img, main script, main [style], main iframe').count()).toBe(0)
      expect(await article.innerText()).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/)
      if (view === 'Bytes') continue
      const text = await article.innerText()
      expect(text).toContain(markup)
      expect(text).toContain('⟨U+202E⟩yllacitamotua⟨U+202C⟩ ⟨U+200B⟩⟨U+2066⟩a⟨U+2069⟩')
    }
    await expectAccessible(page)
    expect(alarms).toEqual([])
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await waiting).status).toBe(403)
    await context.close()
  })

  test('class 24, truncation: what has not been on the screen cannot be approved', async () => {
    const { page, context } = await at('Dana Okafor')
    const lines = Array.from({ length: 600 }, (_, i) => `line ${i}`)
    const waiting = company.agent('/v1/refunds', refund('o-1004', { lines, last: 'the end' }))
    await card(page, '0 of 1').getByRole('link').click()
    const approve = page.getByRole('button', { name: 'Approve once' })
    await page.getByText('more lines').waitFor()
    expect(await approve.isDisabled()).toBe(true)
    expect(await page.getByText('the end').count()).toBe(0)

    // Jumping over the middle is not having seen it.
    await page.getByRole('button', { name: 'Show all of it' }).click()
    await page.getByText('the end').scrollIntoViewIfNeeded()
    await page.evaluate('new Promise(requestAnimationFrame)')
    expect(await approve.isDisabled()).toBe(true)
    await page.getByText('You have not seen all of it yet.').waitFor()

    await readAll(page)
    expect(await approve.isEnabled()).toBe(true)
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await waiting).status).toBe(403)
    await context.close()
  })

  test('everything can be done with the keyboard, and no single key votes', async () => {
    const { page, context } = await at('Dana Okafor')
    const waiting = [1, 2].map((n) => company.agent('/v1/refunds', refund(`o-110${n}`)))
    await page.getByRole('heading', { name: 'Inbox 2 waiting' }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'POST /v1/refunds' }).waitFor()
    const first = page.url()
    await page.keyboard.press('j')
    await page.waitForURL((url) => url.href !== first)
    const focused = () => page.evaluate('document.activeElement.textContent')
    await readAll(page)
    await page.keyboard.press('a')
    expect(await focused()).toBe('Approve once')
    await page.keyboard.press('y')
    await page.keyboard.press('d')
    expect(await focused()).toBe('Deny')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('d')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused()).toBe('Deny')
    await page.keyboard.press('u')
    await page.getByRole('heading', { name: 'Inbox 2 waiting' }).waitFor()

    for (const left of [1, 0]) {
      await page.keyboard.press('j')
      await page.keyboard.press('Enter')
      await page.getByLabel('Reason').focus()
      await page.keyboard.type('just typing')
      await readAll(page)
      await page.getByRole('button', { name: 'Deny' }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('An approver said no.').waitFor()
      await page.keyboard.press('u')
      await page.getByRole('heading', { name: `Inbox ${left} waiting` }).waitFor()
    }
    for (const held of waiting) expect((await held).status).toBe(403)
    await page.getByText('Nothing is waiting.').waitFor()
    await context.close()
  })

  test('while the gateway is away the page says so, and then goes on by itself', async () => {
    const { page, context } = await at('Dana Okafor')
    await page.getByText('Nothing is waiting.').waitFor()
    await company.stopGateway()
    await page.getByText('The connection to the gateway is lost').waitFor()
    await expectAccessible(page)
    await company.startGatewayAgain()
    const waiting = company.agent('/v1/refunds', refund('o-1005'))
    await card(page, '0 of 1').getByRole('link').click()
    await page.getByText('The connection to the gateway is lost').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await waiting).status).toBe(403)
    await context.close()
  })

  test('a link to an approval survives the login, and logging out ends it', async () => {
    const waiting = company.agent('/v1/refunds', refund('o-1006'))
    const { page: first, context: other } = await at('Dana Okafor')
    await card(first, '0 of 1').getByRole('link').click()
    await first.getByRole('button', { name: 'Deny' }).waitFor()

    const { page, context } = await openPage(browser, first.url())
    await page.getByRole('link', { name: 'Log in' }).click()
    await page.getByRole('button', { name: 'Dana Okafor' }).click()
    await page.getByRole('heading', { level: 1, name: 'POST /v1/refunds' }).waitFor()
    await page.getByRole('button', { name: 'Deny' }).click()
    expect((await waiting).status).toBe(403)
    await first.getByText('An approver said no.').waitFor()
    await other.close()

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Yes, log out' }).click()
    await page.getByRole('link', { name: 'Log in' }).waitFor()
    expect((await page.request.get(`${company.consoleUrl}/api/me`)).status()).toBe(401)
    await context.close()
  })
})
