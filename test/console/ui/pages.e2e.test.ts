import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectAccessible } from '../chromium.ts'
import { describeInBrowser, goTo } from './in-browser.ts'

describeInBrowser('the pages of the console', {}, ({ company, at }) => {
  const held = (order: string) =>
    company().agent(
      '/v1/refunds',
      { order, amount_cents: 12_900, reason: 'arrived broken' },
      { prefer: 'wait=0', 'sallyport-reason': 'Ticket 1042' },
    )

  test('an auditor finds what happened, narrows it down, and follows one action to its end', async () => {
    await (await held('o-1001')).text()
    await (await company().agent('/v1/nothing', {})).text()
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByRole('link', { name: 'Activity' }).click()
    await page.getByRole('heading', { level: 1, name: 'Activity' }).waitFor()
    const rows = page.getByRole('table').getByRole('row')
    await rows.filter({ hasText: 'no-rule-matched' }).first().waitFor()
    await expectAccessible(page)

    // By what the events have in common, and back.
    const facet = page.getByRole('button', { name: /^LARGE_REFUND/ })
    await facet.click()
    await rows.filter({ hasText: 'no-rule-matched' }).first().waitFor({ state: 'detached' })
    expect(page.url()).toContain('reason=LARGE_REFUND')
    expect(await facet.getAttribute('aria-pressed')).toBe('true')

    // The address has all of it: it can be sent to somebody.
    await page.reload()
    await rows.filter({ hasText: 'LARGE_REFUND' }).first().waitFor()
    expect(await rows.filter({ hasText: 'no-rule-matched' }).count()).toBe(0)

    await page.getByRole('link', { name: 'Held' }).first().click()
    await page.getByRole('heading', { level: 1, name: 'POST /v1/refunds' }).waitFor()
    const story = page.locator('.timeline')
    await story.getByText('Asked for approval').waitFor()
    await story.getByText('Ticket 1042').waitFor()
    await story.getByText('Event approval.requested').click()
    await story.getByText('"type"').first().waitFor()
    await expectAccessible(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('the live log shows what happens while one looks', async () => {
    const { page, context } = await at('Dana Okafor')
    await goTo(page, '#/activity?q=%2Fv1%2Funheard-of', 'Activity')
    await page.getByText('No event is like this.').waitFor()
    await page.getByRole('checkbox', { name: 'Live' }).check()
    await (await company().agent('/v1/unheard-of', {})).text()
    await page.getByRole('row').filter({ hasText: 'POST /v1/unheard-of' }).waitFor()
    await context.close()
  })

  test('the log is exported, as far as the time that is looked at', async () => {
    const { page, context } = await at('Dana Okafor')
    await goTo(page, '#/activity?since=1h', 'Activity')
    for (const [format, begins] of [
      ['csv', 'index,'],
      ['ocsf', '{"'],
      ['ndjson', '{"'],
    ]) {
      await page.getByLabel('Format of the export').selectOption(format!)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export', exact: true }).click(),
      ])
      expect(download.suggestedFilename()).toMatch(/^sallyport-audit\.(csv|(ocsf\.)?ndjson)$/)
      expect(readFileSync(await download.path(), 'utf8').slice(0, begins!.length)).toBe(begins)
    }
    // Each is on record, with the time that it is about.
    await page.getByLabel('Event', { exact: true }).selectOption('audit.exported')
    await page.getByRole('row').filter({ hasText: 'Log exported' }).nth(2).waitFor()
    await context.close()
  })

  test('usage: who did how much, as bars and as a table, and what they touched', async () => {
    await (await company().agent('/v1/orders', {})).text()
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByRole('link', { name: 'Usage' }).click()
    const chart = page.getByRole('img', { name: /^actions over time/ })
    // Counts follow the log within some seconds.
    await expect
      .poll(
        async () => {
          await page.reload()
          await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor()
          await page.getByText('Counting …').waitFor({ state: 'detached' })
          return chart.count()
        },
        { timeout: 30_000 },
      )
      .toBe(1)
    const row = page.getByRole('row').filter({ hasText: 'support-agent' })
    await row.waitFor()
    await expectAccessible(page)
    await page.getByRole('radio', { name: 'Denied' }).check()
    await page.getByRole('img', { name: /^denied over time/ }).waitFor()
    await row.getByRole('link', { name: 'support-agent' }).click()
    await page.getByRole('heading', { level: 1, name: 'Usage of support-agent' }).waitFor()
    await page.getByRole('row').filter({ hasText: 'crm' }).waitFor()
    await page.getByRole('radio', { name: 'Model' }).check()
    await page.getByText('Nobody did anything in this time.').waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })

  test('policies: the files with their lines, and an answer to what would be decided', async () => {
    const { page, context, alarms } = await at('Omar Haddad')
    await goTo(page, '#/policies?rule=larger-refunds-need-a-support-lead', /^Policies/)
    const marked = page.locator('.row.marked')
    await marked.waitFor()
    expect(await marked.textContent()).toContain('name: larger-refunds-need-a-support-lead')
    await expectAccessible(page)

    await page.getByRole('radio', { name: 'Tests' }).check()
    await page.getByText(/^\d+ tests, and all pass\.$/).waitFor()
    await expectAccessible(page)

    await page.getByRole('radio', { name: 'Ask them' }).check()
    await page.getByLabel('Groups').fill('agents')
    await page.getByLabel('Resource').fill('crm')
    await page.getByRole('button', { name: 'What would be decided?' }).click()
    await page.getByText('It would be allowed.').waitFor()
    await page
      .getByLabel('Attributes, as JSON')
      .fill('{"http": {"method": "DELETE", "path": "/v1/customers/1", "query": {}}}')
    await page.getByRole('button', { name: 'What would be decided?' }).click()
    await page.getByText('It would be denied.').waitFor()
    await page.getByText('What would have to be otherwise').waitFor()
    await expectAccessible(page)
    await page.getByLabel('Attributes, as JSON').fill('{oops')
    await page.getByRole('button', { name: 'What would be decided?' }).click()
    await page.getByText('The attributes are no JSON').waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })

  test('keys: made, shown once, and revoked when asked twice', async () => {
    const { page, context, alarms } = await at('Dana Okafor')
    await goTo(page, '#/keys', 'Keys')
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name').fill('nightly-report')
    await page.getByLabel('Groups').fill('agents, night')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Create key' }).click()
    const token = (await page.locator('.token-text').textContent())!
    expect(token).toMatch(/^sp_/)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'I have kept it' }).click()
    expect(await page.getByText(token).count()).toBe(0)
    const row = page.getByRole('row').filter({ hasText: 'nightly-report' })
    expect(await row.innerText()).toContain('agents, night')

    await row.getByRole('button', { name: 'Revoke' }).click()
    const dialog = page.getByRole('dialog', { name: 'Revoke nightly-report?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    expect(await row.getByText('revoked').count()).toBe(0)
    await row.getByRole('button', { name: 'Revoke' }).click()
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await row.getByText('revoked').waitFor()

    // A name is never used twice: the form says so, and keeps what was written.
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name').fill('nightly-report')
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('Name').inputValue()).toBe('nightly-report')
    expect(alarms).toEqual([])
    await context.close()
  })

  test('settings: who one is here; the keys can be turned off', async () => {
    const { page, context, alarms } = await at('Omar Haddad')
    await goTo(page, '#/settings', 'Settings')
    await page.getByText('data-owners').waitFor()
    await expectAccessible(page)
    await page.getByRole('checkbox', { name: 'Single-letter keys' }).uncheck()
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('?')
    await page.evaluate('new Promise(requestAnimationFrame)')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.getByRole('checkbox', { name: 'Single-letter keys' }).check()
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await expectAccessible(page)
    expect(alarms).toEqual([])
    await context.close()
  })

  test('the menu leads where there is an answer; what is not for somebody says so', async () => {
    const { page, context } = await at('Omar Haddad')
    const menu = page.getByRole('navigation', { name: 'Pages' })
    const names = (await menu.getByRole('link').allInnerTexts()).map((text) => text.split('\n')[0])
    expect(names).toEqual(['Inbox', 'Policies', 'Settings'])
    await goTo(page, '#/activity', 'Activity')
    // The saved searches say the same, folded away.
    await page.getByRole('alert').getByText('Your role does not include this').waitFor()
    await expectAccessible(page)
    await context.close()
  })

  test('whose login has ended meanwhile gets a way to log in, and not the same answer again', async () => {
    const { page, context } = await at('Dana Okafor')
    await page.route(
      (url) => url.pathname === '/api/audit/events',
      (route) =>
        route.fulfill({
          status: 401,
          contentType: 'application/problem+json',
          json: { type: 'https://sallyport.dev/problems/unauthenticated', title: '', detail: '' },
        }),
    )
    await goTo(page, '#/activity?q=refunds', 'Activity')
    const notice = page.getByRole('alert').filter({ hasText: 'Your login has ended' })
    await notice.waitFor()
    expect(await notice.getByRole('button').count()).toBe(0)
    await expectAccessible(page)
    // The identity provider knows her still, so she is back where she was.
    await page.unrouteAll()
    await notice.getByRole('link', { name: 'Log in' }).click()
    await notice.waitFor({ state: 'detached' })
    await page.getByRole('heading', { name: 'Activity' }).waitFor()
    expect(new URL(page.url()).hash).toBe('#/activity?q=refunds')
    await context.close()
  })

  test('a screen reader’s way: a link past the menu, and the focus on what a page is about', async () => {
    const { page, context } = await at('Dana Okafor')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Settings')
    expect(await page.title()).toContain('Settings')
    await context.close()
  })

  test('the inbox is narrowed by its address, and says what it leaves out', async () => {
    await (await held('o-1002')).text()
    const { page, context } = await at('Dana Okafor')
    await page.getByRole('listitem').filter({ hasText: 'POST /v1/refunds' }).first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('nothing like this')
    await page.getByText('Nothing that waits is like this.').waitFor()
    await expectAccessible(page)
    await page.getByRole('searchbox').fill('1042 refund')
    await page.getByRole('listitem').filter({ hasText: 'POST /v1/refunds' }).first().waitFor()
    expect(page.url()).toContain('q=1042+refund')
    await page.getByRole('checkbox', { name: /^Mine to decide/ }).check()
    await page.getByRole('listitem').filter({ hasText: 'POST /v1/refunds' }).first().waitFor()
    await page.getByLabel('Risk').selectOption('critical')
    await page.getByText('Nothing that waits is like this.').waitFor()
    await context.close()
  })
})
