import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { chromium, launchChromium, logIn, openPage } from '../chromium.ts'
import { startDemoCompany, type DemoCompany, type DemoOptions } from '../demo-company.ts'

const skipped = ' (skipped: there is no Chromium here; install it, or name it in CHROMIUM_PATH)'

/** What a test in a browser starts from. */
export interface InBrowser {
  readonly company: () => DemoCompany
  /** A browser of this person's own, at the inbox. */
  at(name: string): ReturnType<typeof openPage>
}

/** Tests with a whole company and a browser; left out, and said so, where there is none. */
export function describeInBrowser(
  title: string,
  options: DemoOptions | (() => Promise<DemoOptions>),
  tests: (it: InBrowser) => void,
): void {
  describe.skipIf(!chromium)(`${title}${chromium ? '' : skipped}`, () => {
    let company: DemoCompany
    let browser: Browser
    beforeAll(async () => {
      company = await startDemoCompany(typeof options === 'function' ? await options() : options)
      browser = await launchChromium()
    })
    afterAll(async () => {
      await browser?.close()
      await company?.close()
    })
    tests({
      company: () => company,
      async at(person) {
        const opened = await openPage(browser, company.consoleUrl)
        await logIn(opened.page, person)
        return opened
      },
    })
  })
}

/** Goes to a page of the console as its menu does, without loading anything anew. */
export async function goTo(page: Page, hash: string, heading: string | RegExp): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
}
