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
    await page.getByRole('button', { name: 'As in force' }).click()
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

  test('what a rule holds is said, and is the same export when it is asked for again', async () => {
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

    await goTo(page, '#/evidence', 'Evidence')
    const button = page.getByRole('button', { name: 'Download as ZIP' })
    await button.click()
    const notice = page.getByRole('alert').filter({ hasText: 'A rule holds this export.' })
    const [id] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec((await notice.textContent())!)!
    const other = await at('Omar Haddad')
    const { body: shown } = await call(other.page, `/api/approvals/${id}`)
    const { action, view_hash } = shown as { action: { digest: string }; view_hash: string }
    const vote = { decision: 'approve', digest: action.digest, view_hash }
    expect((await call(other.page, `/api/approvals/${id}/votes`, vote)).status).toBe(200)
    await other.context.close()

    const [download] = await Promise.all([page.waitForEvent('download'), button.click()])
    expect(download.suggestedFilename()).toBe('sallyport-evidence-soc2.zip')
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
