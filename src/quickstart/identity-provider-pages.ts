import { hash } from 'node:crypto'
import type { DemoPerson } from './demo-people.ts'

const style = `
:root { color-scheme: light dark; --line: light-dark(#d9dde3, #363c46); --soft: light-dark(#5c6570, #9aa4b2); --panel: light-dark(#fff, #1b1f26); --accent: light-dark(#2457d6, #8ab0ff) }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f3f5f8, #12151a); color: light-dark(#171b21, #e8ebf0) }
main { width: 100%; max-width: 27rem }
.demo { margin: 0 0 1rem; padding: .6rem .9rem; border: 1px solid light-dark(#e0b400, #7a6200); border-radius: .6rem; background: light-dark(#fff8dc, #2b2405); font-size: .875rem }
h1 { font-size: 1.35rem; margin: 0 0 .75rem }
p { margin: 0 0 1rem; color: var(--soft) }
button { display: block; width: 100%; margin: 0 0 .6rem; padding: .8rem 1rem; text-align: left; font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: .6rem; cursor: pointer }
button:hover, button:focus-visible { border-color: var(--accent); outline: 2px solid var(--accent); outline-offset: -1px }
button span { display: block; color: var(--soft); font-size: .875rem }
input[type=text] { width: 100%; margin: 0 0 .8rem; padding: .7rem; font: 1.2rem/1.2 ui-monospace, monospace; letter-spacing: .15em; text-transform: uppercase; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: .6rem }
code { font: 1.5rem ui-monospace, monospace; letter-spacing: .15em }
`

/**
 * Lets in the one style above, forms, and what oidc-provider adds for its own forms that send
 * themselves. Where a form leads is not only this server: the answer to a login sends the browser
 * on to the console, at another port.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
  "script-src 'self'",
  "form-action 'self' http://127.0.0.1:* http://localhost:*",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · demo identity provider</title>
<style>${style}</style>
<main>
<div class="demo" role="note"><strong>This is a demo.</strong> Nobody is asked for a password. In production your own identity provider is here.</div>
<h1>${title}</h1>
${body}
</main>
</html>`
}

export function loginPage(action: string, people: readonly DemoPerson[]): string {
  const buttons = people.map(
    ({ id, name, job }) =>
      `<button name="person" value="${escape(id)}">${escape(name)}<span>${escape(job)}</span></button>`,
  )
  return page(
    'Who are you today?',
    `<form method="post" action="${escape(action)}">${buttons.join('')}</form>`,
  )
}

/** `form` is oidc-provider's own mark-up, with the id `op.deviceInputForm`. */
export function codePage(form: string, mistake: string | undefined): string {
  const hint = mistake ?? 'Enter the code that your terminal shows.'
  return page(
    'Log in a terminal',
    `<p>${escape(hint)}</p>${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
  )
}

/** `form` is oidc-provider's own mark-up, with the id `op.deviceConfirmForm`. */
export function confirmPage(form: string, code: string): string {
  return page(
    'Is this your terminal?',
    `<p>It has to show this code: <br><code>${escape(code)}</code></p>
<p>If it does not, somebody else is trying to log in as you.</p>${form}
<button autofocus type="submit" form="op.deviceConfirmForm">Yes, log it in</button>
<button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">No</button>`,
  )
}

export function donePage(): string {
  return page('Done', '<p>Go back to your terminal. You can close this page.</p>')
}

/** `form` is oidc-provider's own mark-up, with the id `op.logoutForm`. */
export function logoutPage(form: string): string {
  return page(
    'Log out',
    `<p>You are leaving the console. Log out here too, to come back as somebody else?</p>${form}
<button autofocus type="submit" form="op.logoutForm" value="yes" name="logout">Yes, log out</button>
<button type="submit" form="op.logoutForm">No, stay</button>`,
  )
}

export function errorPage(error: string, description: string | undefined): string {
  return page('That did not work', `<p>${escape(error)}</p><p>${escape(description ?? '')}</p>`)
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}
