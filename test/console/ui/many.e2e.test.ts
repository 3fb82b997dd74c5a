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

  test('all of them are there, only those on the screen keep up with the clock, and a new one arrives', async () => {
    for (let n = 0; n < many; n += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => held(n + i)))
    }
    const { page, context, alarms } = await at('Dana Okafor')
    await page.getByRole('heading', { name: `Inbox ${many} waiting` }).waitFor()
    const items = page.locator('.waiting > li')
    expect(await items.count()).toBe(many)
    await items.first().getByText('left').waitFor()
    const ticking = await page.locator('.waiting .countdown').count()
    expect(ticking).toBeGreaterThan(3)
    expect(ticking).toBeLessThan(60)

    await held(many)
    await page.getByRole('heading', { name: `Inbox ${many + 1} waiting` }).waitFor()
    await items.last().scrollIntoViewIfNeeded()
    await items.last().getByText('left').waitFor()

    // By key as far as one likes: the focus stays on the screen.
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
