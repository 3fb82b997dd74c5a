import type { AddressInfo } from 'node:net'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { Keyring } from '../../src/config/keyring.ts'
import { cookiesFor } from '../../src/console/cookies.ts'
import { approvalStream } from '../../src/console/routes/approval-stream.ts'
import { createControlServer } from '../../src/console/server.ts'
import type { Person } from '../../src/core/person.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import { endSubject } from '../../src/identity/end-subject.ts'
import { rememberPerson } from '../../src/identity/people.ts'
import { beginSession, endSession } from '../../src/identity/session.ts'
import { quiet } from '../support/audit.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

// Class 16, removed approvers: a page that is open shows nothing to somebody who may not open it any more.

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    then: hold
    approval: { from: { group: leads } }
`

const soon = { timeout: 60_000, interval: 20 }

let ctx: GateContext
let url: string
let lead: Person

beforeAll(async () => {
  const store = await openTestStore()
  ctx = await openTestGate(store, policies)
  lead = await person(store, 'lead', ['leads'])
  const idp = await startTokenIssuer()
  const login = { issuer: lead.issuer, client_id: 'console' }
  const identity = idp.identity({ roles: {}, login })
  const recorder = ctx.audit
  const authenticator = await createAuthenticator({ identity, store, recorder, log: quiet })
  const control = await createControlServer({
    identity,
    publicUrl: undefined,
    cookieKeys: new Keyring([{ key: Buffer.alloc(32, 7), madeAt: new Date(0) }]),
    csrfKey: Buffer.alloc(32, 7),
    store,
    authenticator,
    recorder,
    govern: async () => null,
    log: quiet,
    obstacle: async () => null,
    pages: null,
  })
  await control.register(approvalStream, { gate: ctx })
  await control.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(control.server.address() as AddressInfo).port}`
  return async () => {
    await control.close()
    await authenticator.close()
    await idp.close()
  }
})

/** A page that the person has open, and everything that it was told. */
async function openPage() {
  const cookie = await beginSession(ctx.store, lead, { idToken: 'x', lifetime: 60_000 })
  const aborted = new AbortController()
  onTestFinished(() => aborted.abort())
  const response = await fetch(`${url}/api/approvals/stream`, {
    headers: { cookie: `${cookiesFor(false).session}=${cookie}` },
    signal: aborted.signal,
  })
  expect(response.status).toBe(200)
  const page = { told: '', over: false }
  const reading = (async () => {
    for await (const bytes of response.body!) page.told += Buffer.from(bytes).toString()
    page.over = true
  })()
  reading.catch(() => undefined)
  await expect.poll(() => page.told, soon).toContain('event: reset')
  return { cookie, page }
}

const ask = (note: string) =>
  expect(new Gate(ctx).enforce(attemptAt(note))).rejects.toMatchObject({ code: 'approval-pending' })

it.each([
  ['logged out', (cookie: string) => ctx.store.tx((tx) => endSession(tx, cookie))],
  [
    'was disabled',
    () =>
      ctx.store.tx((tx) =>
        endSubject(tx, {
          issuers: [lead.issuer],
          name: lead.subject,
          at: new Date(),
          what: 'disabled',
        }),
      ),
  ],
])('a page whose person %s is told nothing more, and ends', async (how, end) => {
  const { cookie, page } = await openPage()
  await ask(`seen, ${how}`)
  await expect.poll(() => page.told, soon).toContain(`seen, ${how}`)
  await end(cookie)
  await ask(`not to be seen, ${how}`)
  await expect.poll(() => page.over, soon).toBe(true)
  expect(page.told).not.toContain('not to be seen')
})

it('a session of somebody whose identity provider is not the one to log in with any more opens nothing', async () => {
  const before = { ...lead, issuer: 'https://idp-before.test' }
  const known = await rememberPerson(ctx.store, before)
  const cookie = await beginSession(ctx.store, known, { idToken: 'x', lifetime: 60_000 })
  const headers = { cookie: `${cookiesFor(false).session}=${cookie}` }
  const answer = await fetch(`${url}/api/me`, { headers })
  expect(answer.status).toBe(401)
  expect(await answer.json()).toMatchObject({ reason: 'session-ended' })
})
