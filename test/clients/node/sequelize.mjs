import sequelizePackage from 'sequelize'
import { address, fails, see } from './seen.mjs'

const { DataTypes, Op, QueryTypes, Sequelize, Transaction } = sequelizePackage
const { user: username, ...where } = address
const db = new Sequelize({ dialect: 'postgres', ...where, username, logging: false })
const Customer = db.define(
  'Customer',
  {
    id: { type: DataTypes.INTEGER, primaryKey: true },
    name: DataTypes.TEXT,
    email: DataTypes.TEXT,
  },
  { tableName: 'customers', timestamps: false },
)
const Visit = db.define(
  'Visit',
  {
    at: DataTypes.DATE,
    about: DataTypes.JSONB,
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    how: DataTypes.ENUM('well', 'badly'),
    paid: DataTypes.DECIMAL(10, 2),
  },
  { tableName: 'visits', timestamps: false },
)
Customer.hasMany(Visit, { foreignKey: 'customer', onDelete: 'CASCADE' })
Visit.belongsTo(Customer, { foreignKey: 'customer' })

async function everything() {
  await db.authenticate()
  await Visit.sync({ force: true })
  await Visit.sync({ alter: true })
  see(await db.getQueryInterface().describeTable('visits'))
  see(
    (await db.getQueryInterface().showAllTables()).toSorted(),
    await db.getQueryInterface().showIndex('visits'),
  )
  see(
    await Customer.findAll({ where: { id: { [Op.lt]: 4 } }, order: ['id'] }),
    await Customer.count(),
  )
  const rolledBack = db.transaction(
    { isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE },
    async (transaction) => {
      await Customer.create({ id: 920, name: 's' }, { transaction })
      await fails(() =>
        db.transaction({ transaction }, async (nested) => {
          await Customer.destroy({ where: { id: 1 }, transaction: nested })
          throw new RangeError('nested')
        }),
      )
      const visits = ['well', 'badly'].map((how, i) => ({
        customer: 920,
        at: new Date(Date.UTC(2024, 1, i + 1)),
        about: { a: [i] },
        tags: ['x', 'y'],
        how,
        paid: '1.50',
      }))
      see((await Visit.bulkCreate(visits, { transaction, returning: true })).length)
      see(await Customer.findOne({ where: { id: 920 }, include: Visit, transaction }))
      see(
        await Visit.sum('paid', { transaction }),
        await Visit.increment('paid', { by: 2, where: { how: 'well' }, transaction }),
      )
      see(await Customer.upsert({ id: 920, name: 'again' }, { transaction }))
      see(
        await Visit.findAll({
          where: { tags: { [Op.contains]: ['x'] } },
          attributes: ['how'],
          lock: true,
          transaction,
        }),
      )
      see(
        await Customer.findOrCreate({
          where: { id: 921 },
          defaults: { name: 'found' },
          transaction,
        }),
      )
      throw new RangeError('enough')
    },
  )
  await fails(() => rolledBack)
  await fails(() => Customer.create({ id: 1, name: 'twice' }))
  await fails(() => db.query('SELECT nothing FROM customers'))
  see(
    await db.query('SELECT name FROM customers WHERE id = :id', {
      replacements: { id: 7 },
      type: QueryTypes.SELECT,
    }),
  )
  see(await db.query('SELECT $1::int + 1 AS n', { bind: [7], type: QueryTypes.SELECT }))
  await Visit.drop({})
}

export const session = {
  everything,
  denied: () => fails(() => db.query('SELECT * FROM vault')),
  held: async () => see(await Customer.destroy({ where: { id: 49 } })),
  close: () => db.close(),
}
