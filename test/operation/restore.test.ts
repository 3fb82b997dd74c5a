import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { problemIn, refund, verifiedLog, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { findPostgres } from '../support/postgres.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'

const soon = { timeout: 60_000, interval: 100 }

describe.runIf(storeKinds.includes('postgres'))(
  'a database that was restored from a backup',
  () => {
    test('runs nothing twice that ran since the backup, and the log verifies', async () => {
      const upstream = await startCountingUpstream()
      atEnd(() => upstream.close())
      const answer = upstream.answer
      const databaseUrl = await createTestDatabase()
      const { folder, start } = await configureGateway({
        upstream: upstream.url,
        policies,
        databaseUrl,
      })

      const before = await start()
      const requests = { asked: refund(), approved: refund(), sent: refund() }
      const asked = await ask(before, requests.asked)
      const approved = await ask(before, requests.approved)
      const sent = await ask(before, requests.sent)
      await before.vote('dana', approved)
      await before.vote('dana', sent)
      const key = await makeKey(before)

      // One refund is on its way while the backup is taken.
      upstream.answer = () => undefined
      const lost = before.agent('/crm/v1/refunds', waiting(requests.sent, 0)).catch(() => null)
      await vi.waitFor(() => expect(upstream.arrived).toHaveLength(1), soon)
      const restored = await restoreElsewhere(databaseUrl, join(folder, 'backup.sql'))

      // Since the backup: another one has run, and the key was revoked.
      upstream.answer = answer
      const ran = await before.agent('/crm/v1/refunds', waiting(requests.approved, 0))
      expect(ran.status).toBe(201)
      await before.person('dana', `/api/keys/${key.id}/revoke`, { method: 'POST' })
      before.signal('SIGKILL')
      await before.ended
      await lost
      upstream.arrived.length = 0

      const file = join(folder, 'sallyport.yaml')
      writeFileSync(file, readFileSync(file, 'utf8').replace(databaseUrl, restored))
      const after = await start()

      for (const { id } of [asked, approved])
        expect(await after.approval(id)).toMatchObject({ state: 'invalidated' })
      expect((await ask(after, requests.approved)).id).not.toBe(approved.id)
      await expect.poll(() => after.approval(sent.id), soon).toMatchObject({ state: 'unknown' })
      expect(upstream.arrived).toEqual([])
      await verifiedLog(after, folder)

      // As the manual warns: this key was revoked once, and has to be revoked again.
      const read = async () => (await fetch(`${after.agentsUrl}/crm/v1/customers`, key.init)).status
      expect(await read()).toBe(200)
      const revoked = await after.person('dana', `/api/keys/${key.id}/revoke`, { method: 'POST' })
      expect(revoked.status).toBe(200)
      await expect.poll(read, soon).toBe(401)
    })
  },
)

/** The approval that a request is told to wait for. */
async function ask(gateway: GatewayProcess, request: RequestInit) {
  const held = gateway.agent('/crm/v1/refunds', waiting(request, 0))
  return gateway.approval((await problemIn(held, 'approval-pending')).task.id)
}

async function makeKey(gateway: GatewayProcess) {
  const made = await gateway.person('dana', '/api/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'nightly', groups: ['agents'] }),
  })
  const { key, token } = (await made.json()) as { key: { id: string }; token: string }
  return { id: key.id, init: { headers: { authorization: `Bearer ${token}` } } }
}

/** Dumps the database as its owner, and restores it as another one. */
async function restoreElsewhere(databaseUrl: string, file: string): Promise<string> {
  const restored = new URL(databaseUrl)
  restored.pathname = `${restored.pathname}_restored`
  const server = new URL(databaseUrl)
  server.username = 'postgres'
  await asOwner(server.href, `CREATE DATABASE ${restored.pathname.slice(1)} OWNER owner`)
  const program = (name: string, argv: string[]) =>
    execFileSync(join(findPostgres()!, name), argv, { stdio: 'pipe' })
  program('pg_dump', ['--file', file, databaseUrl])
  program('psql', ['--quiet', '-v', 'ON_ERROR_STOP=1', '--file', file, restored.href])
  return restored.href
}

async function asOwner(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
