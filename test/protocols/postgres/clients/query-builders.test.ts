import { drizzle } from 'drizzle-orm/node-postgres'
import { eq, sql as drizzleSql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import knex, { type Knex } from 'knex'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { DataSource, EntitySchema } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'

interface Customer {
  readonly id: number
  readonly name: string
  readonly email: string | null
}

/** What a program does with a query builder, whichever it is. */
interface Session {
  read(): Promise<unknown>
  /** Inserts, reads back and rolls back. */
  rolledBack(): Promise<unknown>
  stream(): Promise<unknown>
  failing(): Promise<unknown>
  vault(): Promise<unknown>
  remove(id: number): Promise<unknown>
  close(): Promise<void>
}

class RollBack extends Error {}

const rollingBack = async (work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    if (!(error instanceof RollBack)) throw error
  })
}

async function withKysely(address: Address): Promise<Session> {
  const pool = new pg.Pool({ ...address })
  const db = new Kysely<{ customers: Customer; vault: { secret: string } }>({
    dialect: new PostgresDialect({ pool, cursor: Cursor }),
  })
  return {
    read: async () => [
      await db.selectFrom('customers').selectAll().where('id', '<', 4).orderBy('id').execute(),
      await db.introspection.getTables(),
    ],
    async rolledBack() {
      let found: unknown
      const work = db.transaction().execute(async (tx) => {
        await tx.insertInto('customers').values({ id: 910, name: 'k', email: null }).execute()
        found = await tx.selectFrom('customers').selectAll().where('id', '=', 910).execute()
        throw new RollBack()
      })
      await rollingBack(work)
      return found
    },
    async stream() {
      const names: string[] = []
      const rows = db.selectFrom('customers').select('name').orderBy('id').stream(7)
      for await (const { name } of rows) names.push(name)
      return names
    },
    failing: () => sql`SELECT nothing FROM customers`.execute(db),
    vault: () => db.selectFrom('vault').selectAll().execute(),
    remove: (id) => db.deleteFrom('customers').where('id', '=', id).execute(),
    close: () => db.destroy(),
  }
}

async function withKnex(address: Address): Promise<Session> {
  const db: Knex = knex({ client: 'pg', connection: { ...address }, pool: { min: 0, max: 2 } })
  return {
    read: async () => [
      await db('customers').where('id', '<', 4).orderBy('id'),
      await db.schema.hasTable('customers'),
      await db('customers').columnInfo(),
    ],
    async rolledBack() {
      let found: unknown
      const work = db.transaction(async (tx) => {
        await tx('customers').insert({ id: 911, name: 'x' })
        found = await tx('customers').where({ id: 911 }).first()
        throw new RollBack()
      })
      await rollingBack(work)
      return found
    },
    async stream() {
      const names: string[] = []
      const rows = db('customers').select('name').orderBy('id').stream({ highWaterMark: 5 })
      for await (const { name } of rows as AsyncIterable<Customer>) names.push(name)
      return names
    },
    failing: async () => db.raw('SELECT nothing FROM customers'),
    vault: async () => db('vault').select(),
    remove: async (id) => db('customers').where({ id }).del(),
    close: () => db.destroy(),
  }
}

const customers = pgTable('customers', { id: integer().primaryKey(), name: text(), email: text() })

async function withDrizzle(address: Address): Promise<Session> {
  const pool = new pg.Pool({ ...address })
  const db = drizzle(pool)
  const byId = db
    .select()
    .from(customers)
    .where(eq(customers.id, drizzleSql.placeholder('id')))
  const prepared = byId.prepare('by_id')
  return {
    read: () => Promise.all([1, 2, 3].map((id) => prepared.execute({ id }))),
    async rolledBack() {
      let found: unknown
      const work = db.transaction(async (tx) => {
        await tx.insert(customers).values({ id: 912, name: 'd' })
        const inner = tx.transaction(async (nested) => {
          await nested.delete(customers)
          throw new RollBack()
        })
        await rollingBack(inner)
        found = await tx.select().from(customers).where(eq(customers.id, 912))
        throw new RollBack()
      })
      await rollingBack(work)
      return found
    },
    stream: () => db.select({ name: customers.name }).from(customers).orderBy(customers.id),
    failing: () => db.execute('SELECT nothing FROM customers'),
    vault: () => db.execute('SELECT * FROM vault'),
    remove: async (id) => db.delete(customers).where(eq(customers.id, id)),
    close: () => pool.end(),
  }
}

const customerEntity = new EntitySchema<Customer>({
  name: 'customer',
  tableName: 'customers',
  columns: {
    id: { type: 'int', primary: true },
    name: { type: 'text' },
    email: { type: 'text', nullable: true },
  },
})

async function withTypeOrm({ user, ...address }: Address): Promise<Session> {
  const source = new DataSource({
    type: 'postgres',
    ...address,
    username: user,
    entities: [customerEntity],
  })
  await source.initialize()
  const repository = source.getRepository(customerEntity)
  return {
    read: async () => [
      await repository.find({ where: { id: 3 } }),
      await repository.count(),
      (await source.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query),
    ],
    async rolledBack() {
      let found: unknown
      const work = source.transaction(async (manager) => {
        await manager.insert(customerEntity, { id: 913, name: 't', email: null })
        found = await manager.findOneBy(customerEntity, { id: 913 })
        throw new RollBack()
      })
      await rollingBack(work)
      return found
    },
    async stream() {
      const names: string[] = []
      const rows = await repository.createQueryBuilder('c').orderBy('c.id').stream()
      for await (const row of rows) names.push((row as unknown as { c_name: string }).c_name)
      return names
    },
    failing: () => source.query('SELECT nothing FROM customers'),
    vault: () => source.query('SELECT * FROM vault'),
    remove: (id) => repository.delete(id),
    close: () => source.destroy(),
  }
}

const builders = { Kysely: withKysely, Knex: withKnex, Drizzle: withDrizzle, TypeORM: withTypeOrm }

describe.runIf(hasPostgres)('a query builder', () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = await startMatrix()
  })
  afterAll(() => matrix.close())

  test.each(Object.entries(builders))('%s sees no difference', async (_, start) => {
    const transcript = async (address: Address) => {
      const session = await start(address)
      const seen = [
        await session.read(),
        await session.rolledBack(),
        await session.stream(),
        await failure(session.failing()),
      ]
      await session.close()
      return seen
    }
    expect(await transcript(await matrix.open())).toEqual(await transcript(matrix.direct))
  })

  test.each(Object.entries(builders))('%s is denied, and waits', async (name, start) => {
    const session = await start(await matrix.ruled())
    expect(await failure(session.vault())).toMatchObject({ code: '42501' })
    const before = await matrix.customers()
    const removing = session.remove(50 - Object.keys(builders).indexOf(name))
    await matrix.approve()
    await removing
    expect(await matrix.customers()).toBe(before - 1)
    await session.close()
  })
})
