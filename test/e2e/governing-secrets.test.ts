import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { rotateSecrets } from '../../src/config/secrets.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'
import { problemIn } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

const rules = (then: string) => `
rules:
  - name: somebody-else-looks-at-it
    on: sallyport
    what: { admin: { operation: [policy.activate, secrets.rotate] } }
    then: ${then}
`
const held = rules('hold\n    approval: { from: { group: approvers } }')

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
})

afterEach(() => gateway.close())

async function start(policy: string): Promise<void> {
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': policy } })
}

const file = () => join(gateway.folder, 'secrets.json')

/** The names of the keys that sign checkpoints now: as many lines as there are signatures. */
async function signers(): Promise<number> {
  const response = await gateway.person('dana', '/api/audit/checkpoint')
  const note = await response.text()
  return [...note.matchAll(/— /g)].length
}

const rotations = async () =>
  (await gateway.auditLog())
    .map((line) => JSON.parse(line) as { type: string })
    .filter(({ type }) => type === 'secrets.rotated')

it('new secrets neither sign nor open anything until somebody else has approved them, and follow without a restart', async () => {
  await start(held)
  await expect.poll(signers, soon).toBe(1)
  await gateway.restart(() => rotateSecrets(file()))
  const approval = await gateway.pending()
  expect(approval.action).toMatchObject({
    name: 'secrets.rotate',
    subject: { issuer: 'sallyport:gateway', subject: 'secrets' },
  })
  const { keys } = approval.action.payload as { keys: { purpose: string; key: string }[] }
  expect(keys.map(({ purpose }) => purpose)).toEqual(['cookies', 'sealing', 'signing'])
  await gateway.auditLog()
  expect([await signers(), (await rotations()).length]).toEqual([1, 0])

  await problemIn(gateway.vote('dana', approval), 'self-approval')
  await gateway.vote('omar', approval)
  await expect.poll(async () => (await gateway.approval(approval.id)).state, soon).toBe('succeeded')
  await expect.poll(signers, soon).toBe(2)
  expect(await rotations()).toMatchObject([{ approval: approval.id, details: { keys } }])
  await gateway.restart()
  expect(await rotations()).toHaveLength(1)
})

it('secrets of another file are not taken for the ones that were in use: it does not start with them', async () => {
  await start(held)
  await expect(gateway.restart(() => rmSync(file()))).rejects.toThrow(
    'None of the keys in the secrets file is in use',
  )
})

it('new secrets that a rule denies stay out of use', async () => {
  await start(rules('deny'))
  await expect.poll(signers, soon).toBe(1)
  await gateway.restart(() => rotateSecrets(file()))
  expect(gateway.logged()).toContain('there are new secrets, and a rule denies that')
  await gateway.auditLog()
  expect([await signers(), (await rotations()).length]).toEqual([1, 0])
})
