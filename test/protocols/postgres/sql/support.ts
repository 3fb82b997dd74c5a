import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll } from 'vitest'
import { Unknown, type Attribute } from '../../../../src/core/action.ts'
import { createAnalyser } from '../../../../src/protocols/postgres/sql/analyse.ts'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import type {
  Analyser,
  Analysis,
  Probe,
  SessionProbe,
  SqlContext,
} from '../../../../src/protocols/postgres/sql/statement.ts'

/** What the statements of these tests are about. */
const shop = `
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text, ssn text, mood mood);
  CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE,
                       total numeric, status text);
  CREATE TABLE notes (id int, body jsonb, tags text[], at timestamptz);
  CREATE TABLE plain (id int, a int, b int);
  CREATE TABLE salaries (id int, amount numeric);
  CREATE VIEW glad_customers AS SELECT id, email AS address FROM customers WHERE mood = 'glad';
  CREATE VIEW two_steps AS SELECT address, count(*) AS n FROM glad_customers GROUP BY address;
  CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
  CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE SCHEMA crm;
  CREATE TABLE crm.people (id int, email text);
  CREATE TABLE "Odd.Name" ("a.b" int);
  CREATE FUNCTION spend(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM plain; RETURN x; END';
  CREATE FUNCTION looks_calm(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
  CREATE FUNCTION row_code(c customers) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION shadow.lower(int) RETURNS text LANGUAGE sql AS 'SELECT ''x''';
  CREATE OPERATOR crm.+ (LEFTARG = text, RIGHTARG = text, FUNCTION = textcat);
  CREATE DOMAIN checked AS int CHECK (looks_calm(VALUE) > 0);
  CREATE DOMAIN unchecked AS int;
  CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM plain';
  CREATE VIEW spending AS SELECT spend(id) AS s FROM plain;
  CREATE TABLE guarded (id int);
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON guarded USING (spend(id) > 0);
  CREATE TABLE calm_guarded (id int, tenant text);
  ALTER TABLE calm_guarded ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON calm_guarded USING (tenant = current_setting('app.tenant', true));
  CREATE TABLE watched (id int);
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER t AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION tell();
  CREATE TABLE makers (id int PRIMARY KEY);
  CREATE TABLE models (id int PRIMARY KEY, maker int REFERENCES makers ON DELETE CASCADE);
  CREATE TABLE parts (model int REFERENCES models ON DELETE SET NULL, id int) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE VIEW known_makers AS SELECT id FROM makers;
  INSERT INTO makers VALUES (1); INSERT INTO models VALUES (1, 1); INSERT INTO parts VALUES (1, 1);
  CREATE TABLE ruled (id int);
  CREATE RULE r AS ON INSERT TO ruled DO INSTEAD DELETE FROM plain;
  INSERT INTO customers VALUES (1, 'Ada', 'ada@example.com', '1', 'glad');
  INSERT INTO orders (customer_id, total, status) VALUES (1, 10, 'new');`.replace(
  'CREATE FUNCTION shadow.lower',
  'CREATE SCHEMA shadow; CREATE FUNCTION shadow.lower',
)

/** One connection is all that there is. */
export const sessionOf = (probe: Probe): SessionProbe => ({ within: (work) => work(probe) })

/** A database with a small shop in it, and what reads SQL for it. Opened before the first test of the file, closed after the last. */
export function openShop(): Shop {
  const shop = new Shop()
  beforeAll(() => shop.open())
  afterAll(() => shop.close())
  return shop
}

export class Shop {
  // Set by open().
  database!: PGlite
  analyser!: Analyser
  context!: SqlContext

  async open(): Promise<void> {
    this.database = await PGlite.create()
    await this.database.exec(shop)
    this.analyser = await createAnalyser()
    this.context = {
      searchPath: ['public'],
      role: 'agents',
      database: 'shop',
      catalogue: await new CatalogueReader(sessionOf(this.probe)).read(),
      prepared: new Map(),
      cursors: new Map(),
      temporary: new Map(),
      unsettled: false,
      harmless: new Set(),
    }
    await this.database.exec('RESET search_path')
  }

  get probe(): Probe {
    return {
      query: async (sql, values) => {
        const { rows } = await this.database.query<Record<string, string | null>>(sql, [...values])
        return rows
      },
    }
  }

  async read(text: string, context: Partial<SqlContext> = {}): Promise<Analysis> {
    return this.analyser.analyse(text, { ...this.context, ...context })
  }

  /** What the gateway says once these have been made: in a transaction, which is also the one that the catalogue is read in. */
  async readAfter(definitions: string, text: string, context: Partial<SqlContext> = {}) {
    const query: Probe['query'] = async (sql, values) =>
      /^(BEGIN|ROLLBACK)/.test(sql) ? [] : this.probe.query(sql, values)
    await this.database.exec('BEGIN')
    try {
      await this.database.exec(`SET LOCAL search_path = public; ${definitions}`)
      const catalogue = await new CatalogueReader(sessionOf({ query })).read()
      return await this.read(text, { catalogue, ...context })
    } finally {
      await this.database.exec('ROLLBACK')
    }
  }

  async close(): Promise<void> {
    await this.analyser.close()
    await this.database.close()
  }
}

/** `?` for what is unknown; names of `public` as short as people write them. */
export function words(value: Attribute | undefined): string {
  if (value instanceof Unknown) return '?'
  if (!Array.isArray(value)) return JSON.stringify(value)
  return value.map((name) => String(name).replace(/^public\./, '')).join(' ')
}

export interface Dependency {
  readonly table: string
  readonly column: string | null
}

/** What the server itself says that a query depends on; `null` of one that it does not take as a view. */
export async function dependenciesOf(
  database: PGlite,
  query: string,
): Promise<readonly Dependency[] | null> {
  await database.exec('BEGIN')
  try {
    await database.exec(`CREATE VIEW asked AS ${query}`)
    const { rows } = await database.query<{ table: string; column: string | null }>(`
      SELECT DISTINCT n.nspname || '.' || CASE WHEN c.relname ~ '[.]' THEN quote_ident(c.relname) ELSE c.relname END AS table,
             CASE WHEN a.attname ~ '[.]' THEN quote_ident(a.attname) ELSE a.attname END AS column
        FROM pg_rewrite r
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
        JOIN pg_class c ON c.oid = d.refobjid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
       WHERE r.ev_class = 'asked'::regclass AND c.relkind <> 'S'`)
    return rows
  } catch (error) {
    const { code } = error as { code?: string }
    // Class 42: names that are nobody's or several things', types that do not fit, names of columns that a view cannot have.
    if (code?.startsWith('42') || code === '0A000') return null
    throw error
  } finally {
    await database.exec('ROLLBACK')
  }
}
