import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../../support/random.ts'
import { admin, reads, unknown, writes } from './corpus.ts'
import { dependenciesOf, openShop } from './support.ts'

const shop = openShop()

/** What a server says to a statement that writes in a transaction which is read-only. */
const readOnly = '25006'

/** Runs a text where nothing may be written, and takes everything back. The SQLSTATE of its error, or `null`. */
async function runReadOnly(text: string): Promise<string | null> {
  const { database } = shop
  await database.exec('BEGIN READ ONLY')
  try {
    await database.exec(text)
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? 'unknown'
  } finally {
    await database.exec('ROLLBACK')
  }
}

describe('over the whole grammar', () => {
  test(`there are many statements: ${reads.length + writes.length + admin.length + unknown.length}`, () => {
    expect(reads.length + writes.length + admin.length + unknown.length).toBeGreaterThan(300)
  })

  test.each([
    ['read', reads],
    ['write', writes],
    ['admin', admin],
    ['unknown', unknown],
  ] as const)('the gateway says %s', async (effect, statements) => {
    const found = await Promise.all(
      statements.map(async (text) => {
        const read = await shop.read(text)
        return `${read.unreadable ? 'unreadable' : read.effect}: ${text}`
      }),
    )
    expect(found).toEqual(statements.map((text) => `${effect}: ${text}`))
  })

  test('every text together with a write is a write, and with something unknown is unknown', async () => {
    for (const text of reads) {
      expect((await shop.read(`${text}; DELETE FROM plain`)).effect, text).toBe('write')
      expect((await shop.read(`SELECT spend(1); ${text}`)).effect, text).toBe('unknown')
    }
  })
})

describe('the server agrees', () => {
  test('every read runs where nothing may be written', async () => {
    const failed: string[] = []
    for (const text of reads) {
      // It has no client to copy to.
      if (text.startsWith('COPY')) continue
      const code = await runReadOnly(text)
      if (code !== null) failed.push(`${code}: ${text}`)
    }
    expect(failed).toEqual([])
  })

  test('the columns that a view of it depends on are among those that the gateway names', async () => {
    let compared = 0
    // A constant of the type regclass makes a view depend on a table that it does not read.
    const queries = reads.filter(
      (one) => /^(\(?SELECT|WITH|TABLE)/.test(one) && !/regclass|_size\(|_privilege\(/.test(one),
    )
    for (const text of queries) {
      const dependencies = await dependenciesOf(shop.database, text)
      if (!dependencies) continue
      compared++
      const { sql } = await shop.read(text)
      expect(sql.columns, text).toBeInstanceOf(Array)
      const columns = sql.columns as string[]
      const tables = sql.tables as string[]
      for (const { table, column } of dependencies) {
        expect(tables, text).toContain(table)
        if (column !== null) expect(columns, text).toContain(`${table}.${column}`)
      }
    }
    expect(compared).toBeGreaterThan(60)
  })
})

describe('texts that somebody has taken apart', () => {
  const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))

  test(`never make it throw, and are no read where the server writes (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const all = [...reads, ...writes, ...unknown]
    const pick = <Item>(list: readonly Item[]): Item => list[Math.floor(random() * list.length)]!
    const wrong: string[] = []
    let runs = 0
    for (let i = 0; i < 3_000; i++) {
      const words = pick(all).split(/(?=[ (),;])/)
      const others = pick(all).split(/(?=[ (),;])/)
      const at = Math.floor(random() * words.length)
      const text = [
        ...words.slice(0, at),
        ...others.slice(Math.floor(random() * others.length)),
      ].join('')
      const { effect, unreadable, statements } = await shop.read(text)
      if (unreadable || effect !== 'read' || statements.some(({ control }) => control)) continue
      // A recursion that has lost its condition never ends, and fills all memory with its rows: this server has nobody who could stop it.
      if (/COPY|PREPARE|EXPLAIN ANALYZE|RECURSIVE/.test(text)) continue
      runs++
      if ((await runReadOnly(text)) === readOnly) wrong.push(text)
    }
    expect(wrong).toEqual([])
    expect(runs).toBeGreaterThan(30)
  })
})
