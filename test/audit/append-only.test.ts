import { beforeAll, describe, expect, test } from 'vitest'
import { verifyStore } from '../../src/audit/verify.ts'
import { anIntent, startReplica, until } from '../support/audit.ts'
import { openOwnedStore, type OwnedStore } from '../support/owned-store.ts'
import { storeKinds } from '../support/store.ts'

const insufficientPrivilege = '42501'
const appendOnly = 'SP004'

/** This month's, where the event of these tests is. */
const month = `audit_events_${new Date().toISOString().slice(0, 7).replace('-', '_')}`

const columns: Record<string, string> = {
  audit_events: 'type',
  [month]: 'personal',
  audit_links: 'hashes',
  audit_places: 'n',
}

const attacks = Object.entries(columns).flatMap(([table, column]) => [
  `UPDATE sallyport.${table} SET ${column} = NULL`,
  `DELETE FROM sallyport.${table}`,
  `TRUNCATE sallyport.${table}`,
])

describe.each(storeKinds)('the audit tables of the %s store', (kind) => {
  let attacked: OwnedStore

  beforeAll(async () => {
    attacked = await openOwnedStore(kind)
    const { audit } = await startReplica(attacked.store)
    await audit.append(anIntent())
    // One that is linked after it was written.
    const later = anIntent()
    await attacked.store.tx((tx) => audit.write(tx, later))
    audit.linkWritten()
    await until(
      async () => (await attacked.store.query('SELECT FROM sallyport.audit_places')).length === 1,
    )
  })

  test.each(attacks)('do not let the gateway: %s', async (sql) => {
    await expect(attacked.store.query(sql)).rejects.toMatchObject({ code: insufficientPrivilege })
  })

  test.each(attacks)('do not let their owner either: %s', async (sql) => {
    await expect(attacked.asOwner(sql)).rejects.toMatchObject({ code: appendOnly })
  })

  test('do not let the gateway drop or disable what protects them', async () => {
    for (const sql of [
      'DROP TABLE sallyport.audit_events',
      'ALTER TABLE sallyport.audit_events DISABLE TRIGGER ALL',
      'ALTER TABLE sallyport.audit_events OWNER TO sallyport_gateway',
    ]) {
      await expect(attacked.store.query(sql)).rejects.toMatchObject({ code: insufficientPrivilege })
    }
  })

  test('let the eraser erase a personal part, and nothing else; the log verifies without it', async () => {
    await attacked.asOwner('GRANT sallyport_eraser TO CURRENT_USER')
    const erase = 'UPDATE sallyport.audit_events SET issuer = NULL, subject = NULL, salt = NULL'
    for (const part of [erase, `${erase}, personal = 'another'`]) {
      await expect(attacked.asEraser(part)).rejects.toMatchObject({ code: appendOnly })
    }
    await attacked.asEraser(`${erase}, personal = NULL WHERE subject = 'agent-7'`)
    for (const sql of [
      `UPDATE sallyport.audit_events SET body = ''`,
      'DELETE FROM sallyport.audit_events',
      'TRUNCATE sallyport.audit_events',
      'SELECT personal FROM sallyport.audit_events',
    ]) {
      await expect(attacked.asEraser(sql)).rejects.toMatchObject({ code: insufficientPrivilege })
    }
    expect(await verifyStore(attacked.store)).toMatchObject({ ok: true, lines: 2, erased: 2 })
  })
})
