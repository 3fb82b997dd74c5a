import { createPool, sql } from 'slonik'
import { address, fails, see } from './seen.mjs'

const { host, port, database, user, password } = address
const pool = await createPool(
  `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?sslmode=disable`,
)

async function everything() {
  see(await pool.any(sql.unsafe`SELECT * FROM customers WHERE id < ${4} ORDER BY id`))
  see(await pool.oneFirst(sql.unsafe`SELECT count(*) FROM customers`))
  see(
    await pool.any(
      sql.unsafe`SELECT * FROM ${sql.unnest(
        [
          [1, 'a'],
          [2, 'b'],
        ],
        ['int4', 'text'],
      )} AS t(i, w)`,
    ),
  )
  see(
    await pool.anyFirst(
      sql.unsafe`SELECT name FROM customers WHERE id = ANY(${sql.array([5, 6], 'int4')}) ORDER BY id`,
    ),
  )
  see(
    await pool.one(
      sql.unsafe`SELECT ${sql.jsonb({ a: [1] })} AS j, now() > ${sql.timestamp(new Date(0))} AS later`,
    ),
  )
  await fails(() =>
    pool.transaction(async (tx) => {
      see(
        (await tx.query(sql.unsafe`INSERT INTO customers VALUES (925, 's') RETURNING id, name`))
          .rows,
      )
      await fails(() => tx.transaction(async (nested) => nested.query(sql.unsafe`SELECT 1/0`)))
      see(await tx.maybeOne(sql.unsafe`SELECT name FROM customers WHERE id = 925`))
      throw new RangeError('enough')
    }),
  )
  see(await pool.exists(sql.unsafe`SELECT 1 FROM customers WHERE id = 925`))
  await fails(() => pool.query(sql.unsafe`INSERT INTO customers VALUES (1, 'twice')`))
  await fails(() => pool.query(sql.unsafe`SELECT nothing FROM customers`))
}

export const session = {
  everything,
  denied: () => fails(() => pool.query(sql.unsafe`SELECT * FROM vault`)),
  held: async () =>
    see((await pool.query(sql.unsafe`DELETE FROM customers WHERE id = ${46}`)).rowCount),
  close: () => pool.end(),
}
