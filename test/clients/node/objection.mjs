import knexPackage from 'knex'
import { Model, raw } from 'objection'
import { address, fails, see } from './seen.mjs'

const knex = knexPackage({ client: 'pg', connection: address })
Model.knex(knex)

class Customer extends Model {
  static tableName = 'customers'
  static get relationMappings() {
    const join = { from: 'customers.id', to: 'notes.customer' }
    return { notes: { relation: Model.HasManyRelation, modelClass: Note, join } }
  }
}

class Note extends Model {
  static tableName = 'notes'
  static jsonAttributes = ['about']
}

async function everything() {
  await knex.schema.createTable('notes', (table) => {
    table.increments()
    table.integer('customer').references('customers.id').onDelete('CASCADE')
    table.jsonb('about')
    table.specificType('tags', 'text[]')
    table.timestamp('at').defaultTo('2024-02-02')
    table.index(['customer', 'at'])
  })
  await knex.schema.alterTable('notes', (table) => table.text('more').notNullable().defaultTo('-'))
  see(await knex('notes').columnInfo())
  see(await Customer.query().where('id', '<', 4).orderBy('id'))
  const rolledBack = Customer.transaction(async (trx) => {
    const graph = {
      id: 922,
      name: 'o',
      notes: [{ about: { a: [1] }, tags: ['x'] }, { about: null }],
    }
    see(await Customer.query(trx).insertGraph(graph))
    see(
      await Customer.query(trx)
        .findById(922)
        .withGraphFetched('notes(byId)')
        .modifiers({ byId: (notes) => notes.orderBy('id') }),
    )
    see(
      await Customer.query(trx)
        .withGraphJoined('notes')
        .where('customers.id', 922)
        .orderBy('notes.id'),
    )
    see(
      await Note.query(trx)
        .patch({ more: raw('more || ?', ['!']) })
        .where('customer', 922)
        .returning('*'),
    )
    see(await Customer.relatedQuery('notes', trx).for(922).count('* as n'))
    see(await Customer.query(trx).upsertGraph({ id: 922, name: 'again', notes: [] }))
    see(await Customer.query(trx).page(1, 5).orderBy('id'))
    throw new RangeError('enough')
  })
  await fails(() => rolledBack)
  await fails(() => Customer.query().insert({ id: 1, name: 'twice' }))
  await fails(() => Note.query().insert({ customer: 99_999 }))
  await fails(() => Customer.query().select('nothing'))
  await knex.schema.dropTable('notes')
}

export const session = {
  everything,
  denied: () => fails(() => knex('vault').select()),
  held: async () => see(await Customer.query().deleteById(48)),
  close: () => knex.destroy(),
}
