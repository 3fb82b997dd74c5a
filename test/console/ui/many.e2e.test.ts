import { expect, test } from 'vitest'
import { describeInBrowser } from './in-browser.ts'

const many = 1_000

describeInBrowser('a thousand that wait', { holds: many + 1 }, ({ company, at }) => {
  const held = async (n: number) => {
    const body = { order: `o-${n}`, amount_cents: 12_900, reason: 'arrived broken' }
    const answer = await company().agent('/v1/refunds', body, { prefer: 'wait=0' })
    expect((await answer.json()) as object).toMatchObject({
      type: 'https://sallyport.dev/problems/approval-pending',
    })
  }

  test('all of them are counted, shown as far as one looks, and a new one arrives', async () => {
    for (let n = 0; n < many; n += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => held(n + i)))
    }
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByRole('heading', { name: `Inbox ${many} waiting` }).waitFor()
    const items = page.locator('.waiting > li')
    await items.first().getByText('left').waitFor()
    // Only so many at a time: a phone has to lay them out.
    expect(await items.count()).toBe(100)

    await held(many)
    await page.getByRole('heading', { name: `Inbox ${many + 1} waiting` }).waitFor()
    expect(await items.count()).toBe(100)
    await page.getByRole('button', { name: 'more, which expire later' }).scrollIntoViewIfNeeded()
    await items.nth(150).waitFor()

    // Whatever is searched for is searched for in all of them.
    const all = page.getByRole('searchbox')
    await all.fill('support-agent refunds')
    await page.getByRole('button', { name: `${many + 1 - 100} more` }).waitFor()
    await all.fill('')

    // By key as far as one likes: the focus stays on the screen.
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('j')
    for (let i = 0; i < 30; i += 1) await page.keyboard.press('j')
    const thirtieth = page.locator('.waiting > li').nth(30).getByRole('link')
    expect(await page.evaluate('document.activeElement.dataset.item')).toBe(
      await thirtieth.getAttribute('data-item'),
    )
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    expect(alarms).toEqual([])
    await context.close()
  })
})
