import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { policies } from '../e2e/policies.ts'
import { refund, verifiedLog, waiting } from '../e2e/requests.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { createTestDatabase, storeKinds } from '../support/store.ts'

const insufficientPrivilege = '42501'

describe.runIf(storeKinds.includes('postgres'))(
  'a gateway whose login is a member of sallyport_gateway, and nothing else',
  () => {
    const login = `gateway_${crypto.randomUUID().replaceAll('-', '')}`
    let admin: Client
    let session: Client
    let upstream: CountingUpstream
    let gateway: TestGateway

    const as = (user: string, url: string) => {
      const changed = new URL(url)
      changed.username = user
      return changed.href
    }

    // As docs/operations.md has it: the owner has migrated, the administrator makes the login.
    beforeAll(async () => {
      admin = new Client({ connectionString: inject('postgres')!.server })
      await admin.connect()
      await admin.query(`CREATE ROLE ${login} LOGIN IN ROLE sallyport_gateway`)
      const databaseUrl = as(login, await createTestDatabase())
      session = new Client({ connectionString: databaseUrl })
      await session.connect()
      upstream = await startCountingUpstream()
      gateway = await startTestGateway({ upstream: upstream.url, policies, databaseUrl })
    })

    afterAll(async () => {
      await gateway.close()
      await upstream.close()
      await session.end()
      await admin.query(`DROP ROLE ${login}`)
      await admin.end()
    })

    test('does all of its work', async () => {
      expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
      expect((await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })).status).toBe(403)

      const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
      const approval = await gateway.pending()
      expect((await gateway.vote('priya', approval)).status).toBe(403)
      expect((await gateway.vote('dana', approval)).status).toBe(200)
      expect((await held).status).toBe(201)

      const made = await gateway.person('dana', '/api/keys', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'nightly', groups: ['agents'] }),
      })
      expect(made.status).toBe(201)
      const { key, token } = (await made.json()) as { key: { id: string }; token: string }
      const call = { headers: { authorization: `Bearer ${token}` } }
      expect((await fetch(`${gateway.agentsUrl}/crm/v1/customers`, call)).status).toBe(200)
      await gateway.person('dana', `/api/keys/${key.id}/revoke`, { method: 'POST' })
      expect((await fetch(`${gateway.agentsUrl}/crm/v1/customers`, call)).status).toBe(401)

      await gateway.restart()
      const log = await verifiedLog(gateway, gateway.folder)
      expect(log.filter(({ type }) => type === 'gateway.started')).toHaveLength(2)
    })

    test.each([
      `UPDATE sallyport.audit_events SET decision = 'allow'`,
      'DELETE FROM sallyport.audit_events',
      'TRUNCATE sallyport.audit_links',
      'UPDATE sallyport.audit_events SET subject = NULL, personal = NULL',
      'ALTER TABLE sallyport.audit_events DISABLE TRIGGER ALL',
      'DROP TABLE sallyport.audit_links',
      `UPDATE sallyport.approval_votes SET decision = 'approve'`,
      'DELETE FROM sallyport.approval_exclusions',
      `UPDATE sallyport.policy_versions SET documents = '[]'`,
      'CREATE TABLE sallyport.mine ()',
      `INSERT INTO sallyport.migrations (file, checksum) VALUES ('9999_mine.sql', '')`,
      'SET ROLE owner',
      'SET ROLE sallyport_eraser',
      'GRANT owner TO CURRENT_USER',
      'CREATE ROLE another',
      'SET SESSION AUTHORIZATION postgres',
    ])('whoever takes that login over cannot: %s', async (sql) => {
      await expect(session.query(sql)).rejects.toMatchObject({ code: insufficientPrivilege })
    })

    test('does not start on a schema that is not up to date, and says who can bring it there', async () => {
      const url = await createTestDatabase()
      const owner = new Client({ connectionString: url })
      await owner.connect()
      await owner.query('DROP SCHEMA sallyport CASCADE')
      await owner.end()
      const opening = openPostgres(as(login, url))
      await expect(opening).rejects.toBeInstanceOf(MistakesError)
      await expect(opening).rejects.toThrow(/sallyport migrate/)
    })
  },
)
