import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { expectAccessible } from '../chromium.ts'
import { describeInBrowser, goTo } from './in-browser.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

describeInBrowser('evidence and replay in the console', {}, ({ company, at }) => {
  const held = (order: string) =>
    company().agent(
      '/v1/refunds',
      { order, amount_cents: 12_900, reason: 'arrived broken' },
      { prefer: 'wait=0' },
    )

  test('an auditor reads what the log says to each control, and follows it into the log', async () => {
    await (await held('o-1001')).text()
    await (await company().agent('/v1/nothing', {})).text()
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByRole('link', { name: 'Evidence' }).click()
    await page.getByRole('button', { name: 'Read the log' }).click()
    await page.getByText('Nothing was changed, removed, added or moved').waitFor()
    await page.getByRole('heading', { name: 'CC6.1 Logical access security' }).waitFor()
    await expectAccessible(page)

    const denied = page.locator('#answer-denied')
    expect(await denied.getByRole('heading').textContent()).toBe(
      'Actions that were denied, by reason: 1',
    )
    await page.getByRole('button', { name: 'Actions that were denied, by reason' }).first().click()
    expect(await page.evaluate('document.activeElement.textContent')).toContain('denied, by reason')
    await denied.getByText('no-rule-matched').first().waitFor()
    await denied.getByRole('link', { name: 'action.decided' }).click()
    await page.getByRole('heading', { level: 1, name: 'POST /v1/nothing' }).waitFor()
    await goTo(page, '#/evidence?framework=fedramp', 'Evidence')
    await page.getByRole('button', { name: 'Read the log' }).click()
    await page.locator('#answer-denied').getByRole('link', { name: 'In the activity' }).click()
    await page.getByRole('row').filter({ hasText: 'no-rule-matched' }).first().waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })

  test('and takes it away, with the log itself', async () => {
    const { page, context } = await at('Dana Okafor')
    await goTo(page, '#/evidence', 'Evidence')
    const link = page.getByRole('button', { name: 'Download as ZIP' })
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toBe('sallyport-evidence-soc2.zip')
    expect(
      readFileSync(await download.path())
        .subarray(0, 2)
        .toString(),
    ).toBe('PK')
    await context.close()
  })

  test('a change of the rules is tried over what happened, before anybody proposes it', async () => {
    await (await held('o-1002')).text()
    const { page, context, alarms } = await at('Dana Okafor')
    await goTo(page, '#/policies?view=replay', /^Policies/)
    await page.getByRole('radio', { name: 'crm.yaml' }).check()
    const rules = page.getByRole('textbox', { name: 'crm.yaml' })
    const before = await rules.inputValue()
    const more =
      '\n  - name: no-refunds\n    on: crm\n    what: { http: { path: /v1/refunds } }\n    then: deny\n'
    await rules.fill(`${before}${more}`)
    await page.getByRole('button', { name: 'What would it change?' }).click()
    await page.getByText(/^\d+ of \d+ actions? would have been decided otherwise$/).waitFor()
    const first = page.locator('.replayed details').first()
    await first.locator('summary').first().click()
    await first.getByText('It was held until people approve it.').waitFor()
    await first.getByText('It would be denied.').waitFor()
    await expectAccessible(page)

    await rules.fill(`${before}  - nonsense`)
    await page.getByRole('button', { name: 'What would it change?' }).click()
    await page.getByRole('alert').getByText('These policies have mistakes.').waitFor()
    await page.getByRole('button', { name: 'Back to what is in force' }).click()
    expect(await rules.inputValue()).toBe(before)
    await page.getByRole('button', { name: 'What would it change?' }).click()
    await page.getByText('Nothing would have been decided otherwise').waitFor()

    // From a file, as it comes out of somebody's editor.
    const file = { name: 'crm.yaml', mimeType: 'text/yaml', buffer: Buffer.from(before + more) }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByRole('button', { name: 'What would it change?' }).click()
    await page
      .getByText(/would have been decided otherwise$/)
      .first()
      .waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })

  test('what a rule holds says who has to approve it, and comes once they have', async () => {
    const { page, context } = await at('Dana Okafor')
    const { body } = await call(page, '/api/policies')
    const inForce = body as { documents: { file: string; text: string }[] }
    const before = inForce.documents.map((one) => ({ ...one, file: one.file.split('/').at(-1)! }))
    const text =
      'rules: [{ name: exports-wait, on: sallyport, what: { admin: { operation: audit.export } }, then: hold, approval: { from: { group: approvers } } }]'
    const documents = [...before, { file: 'exports.yaml', text }]
    expect(await call(page, '/api/policies/proposals', { documents })).toMatchObject({
      status: 200,
    })
    const other = await at('Omar Haddad')
    const vote = async (id: string, decision: 'approve' | 'deny') => {
      const { body: shown } = await call(other.page, `/api/approvals/${id}`)
      const { action, view_hash } = shown as { action: { digest: string }; view_hash: string }
      const ballot = { decision, digest: action.digest, view_hash, reason: 'Not this month.' }
      expect((await call(other.page, `/api/approvals/${id}/votes`, ballot)).status).toBe(200)
    }
    const waiting = async () => {
      const { body: all } = await call(page, '/api/approvals?state=pending')
      const { approvals } = all as { approvals: { id: string; action: { name: string } }[] }
      return approvals.filter(({ action }) => action.name === 'audit.export').map(({ id }) => id)
    }

    await goTo(page, '#/evidence', 'Evidence')
    await page.getByRole('button', { name: 'Download as ZIP' }).click()
    const notice = page.getByRole('status').filter({ hasText: 'A rule holds this export' })
    await notice.getByText('0 of 1 from approvers').waitFor()
    await expectAccessible(page)
    const [zip] = await waiting()
    const [download] = await Promise.all([page.waitForEvent('download'), vote(zip!, 'approve')])
    expect(download.suggestedFilename()).toBe('sallyport-evidence-soc2.zip')
    await notice.waitFor({ state: 'detached' })

    // Asking again asks for the same export, also after having been elsewhere: the last hour is the one of the first time.
    await goTo(page, '#/activity?since=1h', 'Activity')
    await page.getByLabel('Format of the export').selectOption('csv')
    const button = page.getByRole('button', { name: 'Export', exact: true })
    await button.click()
    await notice.waitFor()
    const ids = await waiting()
    expect(ids).toHaveLength(1)
    await button.click()
    await notice.waitFor()
    await goTo(page, '#/', /^Inbox/)
    await goTo(page, '#/activity?since=1h', 'Activity')
    await page.getByLabel('Format of the export').selectOption('csv')
    await button.click()
    await notice.waitFor()
    expect(await waiting()).toEqual(ids)
    const [csv] = await Promise.all([page.waitForEvent('download'), vote(ids[0]!, 'approve')])
    expect(csv.suggestedFilename()).toBe('sallyport-audit.csv')
    await notice.waitFor({ state: 'detached' })

    // What is refused is said, with why.
    await button.click()
    await notice.waitFor()
    await vote((await waiting())[0]!, 'deny')
    const refused = page.getByRole('alert').filter({ hasText: 'this export is not given out' })
    await refused.getByText('Not this month.').waitFor()
    await expectAccessible(page)
    await other.context.close()
    await call(page, '/api/policies/proposals', { documents: before })
    await context.close()
  })

  test('whoever approves a change sees beside it what it would have decided otherwise', async () => {
    const { page, context } = await at('Dana Okafor')
    const propose = (text: string) =>
      page.evaluate(
        async ([document]) => {
          const json = async (path: string) =>
            (await (await fetch(path)).json()) as {
              csrf_token: string
              documents: { file: string; text: string }[]
            }
          const { csrf_token: token } = await json('/api/me')
          const { documents } = await json('/api/policies')
          const all = documents
            .map(({ file, text: old }) => ({ file: file.split('/').at(-1), text: old }))
            .filter(({ file }) => file !== 'more.yaml')
          const answer = await fetch('/api/policies/proposals', {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-csrf-token': token },
            body: JSON.stringify({ documents: [...all, { file: 'more.yaml', text: document }] }),
          })
          return (await answer.json()) as { approval?: string }
        },
        [text] as const,
      )
    const governed = `rules:
  - name: somebody-else-looks-at-it
    on: sallyport
    what: { admin: { operation: policy.activate } }
    then: hold
    approval: { from: { group: approvers } }
`
    await propose(governed)
    const more = `${governed}  - name: no-refunds
    on: crm
    what: { http: { path: /v1/refunds } }
    then: deny
`
    const { approval } = await propose(more)
    const other = await at('Omar Haddad')
    await goTo(other.page, `#/approvals/${approval}`, /^policy\.activate/)
    const beside = other.page.getByRole('region', { name: 'Over the last 7 days' })
    await beside.getByText(/^\d+ of \d+ actions? would have been decided otherwise$/).waitFor()
    await beside.getByRole('row').filter({ hasText: 'no-refunds' }).waitFor()
    // He is no auditor: how many, and not who did what.
    expect(await beside.locator('details').count()).toBe(0)
    await expectAccessible(other.page)
    await goTo(page, `#/approvals/${approval}`, /^policy\.activate/)
    await page.locator('.replayed details').first().waitFor()
    await other.context.close()
    await context.close()
  })
})

/** Calls the API as whoever is logged in on this page. */
async function call(page: Page, path: string, body?: object): Promise<Answer> {
  const asked = JSON.stringify({ path, body: body && JSON.stringify(body) })
  return page.evaluate(`(async ({ path, body }) => {
    const me = await (await fetch('/api/me')).json()
    const headers = { 'content-type': 'application/json', 'x-csrf-token': me.csrf_token }
    const answer = await fetch(path, body ? { method: 'POST', headers, body } : {})
    return { status: answer.status, body: await answer.json() }
  })(${asked})`)
}
