// Prisma 7, its client without an engine: generated from schema.prisma before this runs.
import { PrismaPg } from '@prisma/adapter-pg'
import generated from './client/index.js'
import { address, fails, see } from './seen.mjs'

const { Prisma, PrismaClient } = generated
const prisma = new PrismaClient({ adapter: new PrismaPg(address) })

const placed = (day) => new Date(Date.UTC(2024, 1, day))

async function everything() {
  await prisma.$executeRaw`CREATE TABLE orders (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
    amount numeric NOT NULL, placed timestamp(3) NOT NULL DEFAULT now(), details jsonb, tags text[], mood mood, bytes bytea, big bigint, UNIQUE (customer_id, placed))`
  see(await prisma.customer.findMany({ where: { id: { lt: 4 } }, orderBy: { id: 'asc' } }))
  see(await prisma.customer.findUnique({ where: { id: 7 } }), await prisma.customer.count())
  see(await Promise.all([1, 2, 3].map((id) => prisma.customer.findUnique({ where: { id } }))))

  await prisma.customer.create({
    data: {
      id: 970,
      name: 'nested',
      orders: {
        create: [
          { amount: '1.10', placed: placed(1), tags: ['a', 'b'], mood: 'happy', big: 2n ** 60n },
          { amount: '2.20', placed: placed(2), details: { a: [1, null] }, bytes: Buffer.from('b') },
        ],
      },
    },
  })
  const nested = { where: { id: 970 }, include: { orders: { orderBy: { id: 'asc' } } } }
  see(await prisma.customer.findUnique(nested))
  const many = [3, 4, 5].map((day) => ({ customerId: 970, amount: day, placed: placed(day) }))
  see(await prisma.order.createMany({ data: many }))
  see(
    await prisma.order.createManyAndReturn({
      data: { customerId: 970, amount: 9, placed: placed(9) },
    }),
  )
  see(await prisma.order.createMany({ data: many, skipDuplicates: true }))
  see(
    await prisma.order.aggregate({ _sum: { amount: true }, _avg: { amount: true }, _count: true }),
  )
  see(
    await prisma.order.groupBy({
      by: ['mood'],
      _count: true,
      orderBy: { mood: 'asc' },
      having: { amount: { _max: { gt: 1 } } },
    }),
  )
  see(await prisma.order.findMany({ where: { tags: { has: 'a' } }, select: { id: true } }))
  see(
    await prisma.order.findMany({
      where: { details: { path: ['a'], array_contains: [1] } },
      select: { details: true },
    }),
  )
  const second = { take: 2, skip: 1, cursor: { id: 2 }, orderBy: { id: 'asc' } }
  see((await prisma.order.findMany(second)).map(({ id }) => id))
  const upsert = { where: { id: 970 }, update: { name: 'again' }, create: { id: 970, name: 'new' } }
  see(await prisma.customer.upsert(upsert))
  see(await prisma.order.updateMany({ where: { amount: { gt: 4 } }, data: { mood: 'sad' } }))
  see(await prisma.order.update({ where: { id: 1 }, data: { amount: { increment: 5 } } }))

  see(
    await prisma.$transaction([
      prisma.customer.update({ where: { id: 970 }, data: { email: 'b@example.com' } }),
      prisma.customer.count({ where: { name: { startsWith: 'cust', mode: 'insensitive' } } }),
      prisma.$queryRaw`SELECT count(*) FROM orders`,
    ]),
  )
  await fails(() =>
    prisma.$transaction([
      prisma.customer.update({ where: { id: 970 }, data: { email: 'lost' } }),
      prisma.customer.create({ data: { id: 970, name: 'twice' } }),
    ]),
  )
  const rolledBack = prisma.$transaction(
    async (tx) => {
      await tx.order.deleteMany()
      see(await tx.customer.findUnique(nested), await tx.$queryRaw`SHOW transaction_isolation`)
      throw new RangeError('enough')
    },
    { isolationLevel: Prisma.TransactionIsolationLevel.Serializable },
  )
  await fails(() => rolledBack)
  see((await prisma.customer.findUnique(nested)).email, await prisma.order.count())

  await fails(() => prisma.customer.create({ data: { id: 1, name: 'unique' } }))
  await fails(() =>
    prisma.order.create({ data: { customerId: 99_999, amount: 1, placed: placed(1) } }),
  )
  await fails(() => prisma.customer.delete({ where: { id: 99_999 } }))
  await fails(() => prisma.$queryRaw`SELECT nothing FROM customers`)
  await fails(() => prisma.$queryRaw`SELECT 1/${0}::int`)
  see(
    await prisma.$queryRaw`SELECT ${1}::int AS i, ${'t'} AS t, ${[1, 2]} AS a, now() > ${placed(1)} AS b`,
  )
  see(await prisma.$queryRawUnsafe('SELECT $1::uuid AS u', '018f2f3e-0000-7000-8000-000000000000'))
  see(await prisma.$executeRaw`UPDATE customers SET name = name WHERE id < ${10}`)
  see(await prisma.$queryRaw`SELECT shout('hey'), 'happy'::mood AS m, '{sad}'::mood[] AS moods`)

  see(await prisma.customer.delete({ where: { id: 970 } }), await prisma.order.count())
  await prisma.$executeRaw`DROP TABLE orders`
}

export const session = {
  everything,
  async denied() {
    await fails(() => prisma.vault.findMany())
    see(await prisma.customer.findUnique({ where: { id: 1 } }))
    await fails(() => prisma.$transaction([prisma.customer.count(), prisma.vault.findMany()]))
    see(await prisma.customer.findUnique({ where: { id: 1 } }))
  },
  held: async () => see(await prisma.customer.deleteMany({ where: { id: 50 } })),
  close: () => prisma.$disconnect(),
}
