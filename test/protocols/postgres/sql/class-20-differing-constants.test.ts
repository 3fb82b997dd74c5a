import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomFrom } from '../../../support/random.ts'
import { createAnalyser } from '../../../../src/protocols/postgres/sql/analyse.ts'
import { withoutConstants } from '../../../../src/protocols/postgres/sql/constants.ts'
import type { Analyser } from '../../../../src/protocols/postgres/sql/statement.ts'
import { admin, reads, unknown, writes } from './corpus.ts'
import { openShop } from './support.ts'

/** A text is read as one before it was, which differs from it in constants: nobody may use that to have it read as something else. */
const shop = openShop()

// What it has read before makes no difference to it: it keeps nothing.
let forgetful: Analyser
beforeAll(async () => {
  forgetful = await createAnalyser({ cacheBytes: 0 })
})
afterAll(() => forgetful.close())

async function isReadAsIfItWereTheFirst(text: string): Promise<void> {
  const read = await shop.read(text)
  expect(read, text).toEqual(await forgetful.analyse(text, shop.context))
}

/** Each is read after the one before it, and differs from it in what may look like a constant. */
test.each([
  ['a limit', ['SELECT id FROM plain LIMIT 5', 'SELECT id FROM plain LIMIT 50']],
  ['rows that are fetched', ['FETCH 1 FROM c', 'FETCH 2 FROM c']],
  [
    'a setting that is a function call',
    [
      "SELECT set_config('application_name', 'x', false)",
      "SELECT set_config('search_path', 'x', false)",
      "SELECT set_config('role', 'x', false)",
    ],
  ],
  ['a setting', ["SET application_name = 'x'", "SET application_name = 'y'"]],
  [
    'a number, and a longer one',
    ['SELECT id FROM plain WHERE a = 1', 'SELECT id FROM plain WHERE a = 123456789'],
  ],
  [
    'a number that is no integer',
    ['SELECT id FROM plain WHERE a = 1', 'SELECT id FROM plain WHERE a = 1234567890'],
  ],
  ['a negative number', ['SELECT id FROM plain WHERE a = -1', 'SELECT id FROM plain WHERE a = -2']],
  [
    'a string with a quote in it',
    ["SELECT 'a'", "SELECT 'a''b'", "SELECT 'a' 'b'", "SELECT 'a'\n'b'"],
  ],
  [
    'a string that ends early',
    [
      "SELECT id FROM plain WHERE 'a' = 'b'",
      "SELECT id FROM plain WHERE 'a' = '' OR spend(id) > 0 OR 'b' = 'b'",
      "SELECT id FROM plain WHERE 'a' = 'b' OR spend(id) > 0 --'",
    ],
  ],
  [
    'a string with escapes, or other quotes',
    [
      "SELECT id FROM plain WHERE 'a' = 'b'",
      "SELECT id FROM plain WHERE 'a' = E'b\\' OR spend(id) > 0 OR \\'b'",
      "SELECT id FROM plain WHERE 'a' = U&'b'",
      "SELECT id FROM plain WHERE 'a' = $$b$$",
    ],
  ],
  [
    'a name in quotes',
    ['SELECT "a" FROM plain WHERE id = 1', 'SELECT "a1" FROM plain WHERE id = 1'],
  ],
  ['a quote within a name', [`SELECT 1 AS "it's", 'x'`, `SELECT 1 AS "it's", spend(1), 'x'`]],
  ['a comment', ["SELECT 1 /* 'x' */, 2", "SELECT 1 /* ' */, spend(2) /* ' */"]],
  ['a type that depends on its size', ['SELECT 1::float(24)', 'SELECT 1::float(53)']],
  ['the name of a table as a string', ["SELECT 'plain'::regclass", "SELECT 'customers'::regclass"]],
  [
    'a mark that is put in the place of constants',
    ['SELECT 1', 'SELECT \x01', "SELECT 'a'", 'SELECT \x02'],
  ],
])('by %s', async (_what, texts) => {
  for (const text of texts) await isReadAsIfItWereTheFirst(text)
})

describe('with other constants', () => {
  const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))
  const random = randomFrom(seed)
  const numbers = ['0', '7', '123456789', '1234567890', '1.5', '-1']
  const others = [...numbers, "''", "'b'", "'it''s'", "'a--b'", "E'\\''", "'1'"]
  const other = () => others[Math.floor(random() * others.length)]!

  test(`any statement means what it says (seed ${seed})`, async () => {
    for (const text of [...reads, ...writes, ...admin, ...unknown])
      for (let i = 0; i < 2; i++)
        await isReadAsIfItWereTheFirst(text.replaceAll(/\b\d+\b|'[^']*'/g, other))
  })
})

test('they are taken out of a text where there is no doubt about them', () => {
  expect(withoutConstants("SELECT a1, 'x''y' FROM t2 WHERE b = 1 AND c = '2'")).toBe(
    'SELECT a1, \x02\x02 FROM t2 WHERE b = \x01 AND c = \x02',
  )
  expect(withoutConstants('SELECT 1.5, .5, 1e5, 1_000, $1, "1"')).toBeNull()
  for (const text of [
    "SELECT E'1'",
    'SELECT 1 -- 2',
    'SELECT 1 /* 2 */',
    "SELECT 'ü'",
    "SELECT '\\'",
    'SELECT $$1$$',
  ])
    expect(withoutConstants(text), text).toBeNull()
})
