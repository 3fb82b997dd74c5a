import { beforeAll, describe, expect, inject, test } from 'vitest'
import { exportAside } from '../../../src/app/exports/export-aside.ts'
import { openExports } from '../../../src/app/exports/open.ts'
import { exportText, formatNames } from '../../../src/audit/export/format.ts'
import { openExport } from '../../../src/audit/export/ndjson.ts'
import type { Part } from '../../../src/audit/export/stretches.ts'
import type { Store } from '../../../src/store/db.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { anIntent, startReplica, until } from '../../support/audit.ts'
import { atEnd, createTestDatabase } from '../../support/store.ts'

/** More than are on their way to a reader who has read one piece. */
const events = 2_500

describe.skipIf(!inject('postgres'))('an export in a thread of its own', () => {
  let url: string
  let store: Store
  let part: Part

  beforeAll(async () => {
    url = await createTestDatabase()
    store = await openPostgres(url)
    atEnd(() => store.end())
    const { audit } = await startReplica(store)
    await Promise.all(Array.from({ length: events }, () => audit.append(anIntent())))
    part = await openExport(store)
  })

  const sessions = () =>
    store.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% export'`,
    )

  test.each(formatNames)('is the same as %s, and leaves nothing behind', async (format) => {
    const options = { personal: false, continued: true }
    let [here, aside] = ['', '']
    for await (const piece of exportText(store, part, format, options)) here += piece
    for await (const piece of exportAside(url, part, format, options)) aside += Buffer.from(piece)
    expect(aside === here && here.length > 0).toBe(true)
    await until(async () => (await sessions()).length === 0)
  })

  test('is what a gateway makes of many events, and not of few', async () => {
    const exportText = openExports({ store: { url } }, store)
    const first = async (end: number) => {
      for await (const piece of exportText({ first: 0, end }, 'ndjson', {})) return piece
      return null
    }
    expect(await first(20_001)).toBeInstanceOf(Uint8Array)
    expect(await first(20_000)).toBeTypeOf('string')
    await until(async () => (await sessions()).length === 0)
  })

  test('ends when nobody reads on', async () => {
    const pieces = exportAside(url, part, 'ndjson', {})
    const begun = until(async () => (await sessions()).length > 0)
    expect((await pieces.next()).done).toBe(false)
    await begun
    await pieces.return(null)
    await until(async () => (await sessions()).length === 0)
  })

  test('of a store that does not answer is an error, and no end', async () => {
    const away = new URL(url)
    away.pathname = '/nobody_has_made_this'
    const pieces = exportAside(away.href, part, 'ndjson', {})
    await expect(pieces.next()).rejects.toMatchObject({ name: 'StoreError', code: '3D000' })
  })
})
