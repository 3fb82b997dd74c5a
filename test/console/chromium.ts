import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium as driver, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** Where the system's Chromium is, or `null`. */
export const chromium: string | null =
  [
    process.env['CHROMIUM_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find((path) => path !== undefined && existsSync(path)) ?? null

export function launchChromium(): Promise<Browser> {
  return driver.launch({
    executablePath: chromium!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

const desktop = { width: 1280, height: 800 }
const phone = { width: 390, height: 844 }

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds on the page, light at a desk and dark on a phone; and whether it has to be scrolled sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const [colorScheme, viewport] of [
    ['dark', phone],
    ['light', desktop],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize(viewport)
    const found = await page.evaluate(
      `${axe};axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join('\\n')))`,
    )
    expect(found, `${colorScheme}, ${viewport.width} wide`).toEqual([])
    const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    expect(wide, `scrolls sideways at ${viewport.width}`).toBe(false)
  }
}

/** What a browser keeps of a login. */
export type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

/** A page in a browser of its own, and everything in it that must not happen. */
export async function openPage(
  browser: Browser,
  url: string,
  storageState?: StorageState,
): Promise<{ page: Page; context: BrowserContext; alarms: string[] }> {
  const context = await browser.newContext({
    viewport: desktop,
    ...(storageState && { storageState }),
  })
  // Machines are shared, and a browser needs much of one.
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const alarms: string[] = []
  page.on('dialog', (dialog) => {
    alarms.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', (error) => alarms.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) alarms.push(message.text())
  })
  page.on('request', (request) => {
    // By its host: whoever searches for mark-up asks the gateway for it, mark-up and all.
    if (new URL(request.url()).hostname.endsWith('evil.example')) {
      alarms.push(`request: ${request.url()}`)
    }
  })
  await page.goto(url)
  return { page, context, alarms }
}

/** Clicks "Log in", and at the identity provider the person. */
export async function logIn(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Log in' }).click()
  await page.getByRole('button', { name }).click()
  await page.getByRole('heading', { name: /^Inbox/ }).waitFor()
}

/** Has everything on the screen once, as somebody does who scrolls through it. */
export async function readAll(page: Page): Promise<void> {
  // Both buttons go away by themselves, so waiting for one could be waiting for ever.
  const pressIfThere = (name: string) =>
    page
      .getByRole('button', { name })
      .evaluateAll(([button]: { click(): void }[]) => button?.click())
  const approve = page.getByRole('button', { name: 'Approve once' })
  await approve.waitFor()
  while (await approve.isDisabled()) {
    await pressIfThere('Show all of it')
    await pressIfThere('Show what is missing')
    await page.evaluate('new Promise(requestAnimationFrame)')
  }
}
