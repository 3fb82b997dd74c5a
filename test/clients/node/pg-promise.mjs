import pgPromise from 'pg-promise'
import { address, fails, see } from './seen.mjs'

const pgp = pgPromise()
const db = pgp(address)
const { isolationLevel, TransactionMode } = pgPromise.txMode

async function everything() {
  see(await db.any('SELECT * FROM customers WHERE id < ${most} ORDER BY id', { most: 4 }))
  see(await db.one('SELECT count(*)::int AS n FROM customers', [], ({ n }) => n))
  see(await db.multi('SELECT 1 AS a; SELECT $1 AS b', ["it's"]), await db.func('shout', ['hey']))
  see(
    await db.any({ name: 'by-id', text: 'SELECT name FROM customers WHERE id = $1', values: [7] }),
  )
  see(
    await db.map(
      'SELECT $1:name FROM customers WHERE id IN ($2:csv) ORDER BY id',
      ['name', [1, 2]],
      ({ name }) => name,
    ),
  )
  const serializable = new TransactionMode({ tiLevel: isolationLevel.serializable })
  const rolledBack = db.tx({ mode: serializable }, async (t) => {
    const columns = new pgp.helpers.ColumnSet(['id', 'name'], { table: 'customers' })
    const rows = [923, 924].map((id) => ({ id, name: `p${id}` }))
    see(await t.many(`${pgp.helpers.insert(rows, columns)} RETURNING id`))
    await fails(() => t.tx(async (nested) => nested.none('SELECT 1/0')))
    see(
      await t.task(async (task) =>
        task.batch([
          task.one('SELECT 1 AS x'),
          task.any("SELECT name FROM customers WHERE name LIKE 'p9%' ORDER BY 1"),
        ]),
      ),
    )
    see(await t.result('DELETE FROM customers WHERE id = 923', [], ({ rowCount }) => rowCount))
    throw new RangeError('enough')
  })
  await fails(() => rolledBack)
  await fails(() => db.one('SELECT * FROM customers WHERE false'))
  await fails(() => db.none('INSERT INTO customers VALUES (1)'))
  await fails(() => db.any('SELECT nothing FROM customers'))
}

export const session = {
  everything,
  denied: () => fails(() => db.any('SELECT * FROM vault')),
  held: async () =>
    see(await db.result('DELETE FROM customers WHERE id = $1', [47], ({ rowCount }) => rowCount)),
  close: () => db.$pool.end(),
}
