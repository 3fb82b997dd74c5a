import pg from 'pg'
import { definitionsIn, definitionsQuestion } from '../../../src/protocols/postgres/definitions.ts'
import { createAnalyser } from '../../../src/protocols/postgres/sql/analyse.ts'
import { CatalogueReader } from '../../../src/protocols/postgres/sql/read-catalogue.ts'
import type { Analyser, SqlAttributes } from '../../../src/protocols/postgres/sql/statement.ts'
import { createTestDatabase } from '../../support/store.ts'
import { sessionOf } from './sql/support.ts'

/** Connections to one database, and what the gateway would ask there. */
export class BoundDatabase {
  readonly #path: readonly string[]
  // Set by open(): a superuser's, and one of the owner.
  root!: pg.Client
  session!: pg.Client
  #analyser!: Analyser

  constructor(path: readonly string[]) {
    this.#path = path
  }

  async open(schema: string): Promise<void> {
    const url = new URL(await createTestDatabase())
    this.session = new pg.Client({ connectionString: url.href })
    url.username = 'postgres'
    this.root = new pg.Client({ connectionString: url.href })
    await Promise.all([this.root.connect(), this.session.connect()])
    await this.root.query(`SET client_min_messages = error; ${schema}`)
    await this.root.query('GRANT ALL ON ALL TABLES IN SCHEMA public TO owner')
    this.#analyser = await createAnalyser()
  }

  async close(): Promise<void> {
    await Promise.all([this.root.end(), this.session.end(), this.#analyser.close()])
  }

  /** What the gateway finds in a text, by the catalogue as this connection sees it. */
  async read(text: string, by: pg.Client): Promise<SqlAttributes> {
    const query = async (sql: string) =>
      /^(BEGIN|ROLLBACK)/.test(sql) ? [] : (await by.query<Record<string, string>>(sql)).rows
    const catalogue = await new CatalogueReader(sessionOf({ query })).read()
    await by.query(`SET search_path = ${this.#path.join(', ')}`)
    const nothing = new Map<string, never>()
    const { sql } = await this.#analyser.analyse(text, {
      ...{ searchPath: this.#path, role: 'owner', database: 'shop', catalogue },
      ...{ prepared: nothing, cursors: nothing, temporary: nothing, unsettled: false },
      harmless: new Set(),
    })
    return sql
  }

  /** What an approval of it is bound to now. */
  async boundTo(sql: SqlAttributes, by: pg.Client): Promise<string> {
    const ask = async (text: string) =>
      (await by.query<string[]>({ text, rowMode: 'array' })).rows.map((row) => row.map(String))
    const question = definitionsQuestion(sql, this.#path)!
    return definitionsIn(await ask(question), question, ask, {
      query: async (text) => (await by.query<Record<string, string>>(text)).rows,
    })
  }
}
