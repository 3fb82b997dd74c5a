import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BoundDatabase } from './bound-database.ts'
import { hasPostgres } from './database.ts'

const schema = `
  CREATE SCHEMA owner; GRANT ALL ON SCHEMA owner TO owner;
  CREATE TABLE goods (id int, price int); CREATE TABLE names (name varchar);
  CREATE TABLE log (id int); CREATE TABLE other (id int);
  CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE moods (m mood);
  CREATE TYPE pair AS (a int); CREATE TABLE pairs (p pair);
  CREATE DOMAIN base AS int; CREATE DOMAIN small AS base; CREATE TABLE smalls (id small);
  CREATE TYPE box_of AS (a small); CREATE TABLE boxes (b box_of);
  CREATE TABLE above (id int PRIMARY KEY);
  CREATE TABLE below (id int PRIMARY KEY REFERENCES above ON DELETE CASCADE);
  CREATE TABLE parts (id int) PARTITION BY RANGE (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
  CREATE TABLE parts_1_1 PARTITION OF parts_1 FOR VALUES FROM (0) TO (5);
  CREATE FUNCTION inner_step(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
  CREATE FUNCTION step(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN inner_step(x); END';
  CREATE FUNCTION holds(x int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN inner_step(x) = 1; END';
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM inner_step(1); RETURN OLD; END';
  CREATE FUNCTION number(mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION other_number(mood) RETURNS int LANGUAGE sql AS 'SELECT 2';
  CREATE FUNCTION compared(pair, pair) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 0; END';
  CREATE FUNCTION same(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT true';
  CREATE PROCEDURE tidy() LANGUAGE plpgsql AS 'BEGIN DELETE FROM log; END';
  CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE VIEW cheap AS SELECT id FROM goods WHERE price < 100;
  CREATE VIEW cheapest AS SELECT id FROM cheap WHERE id < 10;
  CREATE VIEW allowed AS SELECT 1 AS id;
  CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE total (int) (SFUNC = added, STYPE = int)`

const inner = `CREATE OR REPLACE FUNCTION inner_step(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'`
const rowSecurity = (policy: string) => `
  ALTER TABLE goods ENABLE ROW LEVEL SECURITY; ALTER TABLE goods FORCE ROW LEVEL SECURITY;
  CREATE POLICY p ON goods ${policy}`

describe.runIf(hasPostgres)(
  'class 11: an approval is bound to everything that decides what a statement does',
  () => {
    const db = new BoundDatabase(['owner', 'public'])
    beforeAll(() => db.open(schema))
    afterAll(() => db.close())

    test.each([
      [
        'what a check calls',
        'ALTER TABLE log ADD CHECK (holds(id))',
        'INSERT INTO log VALUES (1)',
        inner,
      ],
      [
        'what a default calls',
        'ALTER TABLE log ALTER id SET DEFAULT step(1)',
        'INSERT INTO log DEFAULT VALUES',
        inner,
      ],
      [
        'what a generated column calls',
        'ALTER TABLE log ADD g int GENERATED ALWAYS AS (step(id)) STORED',
        'INSERT INTO log VALUES (1)',
        inner,
      ],
      [
        'what a trigger calls',
        'CREATE TRIGGER t BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION note()',
        'DELETE FROM log',
        inner,
      ],
      ['what a policy calls', rowSecurity('USING (holds(id))'), 'DELETE FROM goods', inner],
      [
        'what an index calls',
        'CREATE INDEX ON log (step(id))',
        'INSERT INTO log VALUES (1)',
        inner,
      ],
      [
        'what a partial index calls',
        'CREATE INDEX ON log (id) WHERE holds(id)',
        'INSERT INTO log VALUES (1)',
        inner,
      ],
      [
        'an index with a function',
        '',
        'INSERT INTO log VALUES (1)',
        'CREATE INDEX ON log (step(id))',
      ],
      [
        'what the key of partitions calls',
        'CREATE TABLE keyed (id int) PARTITION BY RANGE (step(id))',
        'INSERT INTO keyed VALUES (1)',
        inner,
      ],
      [
        'a check of a domain',
        '',
        'INSERT INTO smalls VALUES (1)',
        'ALTER DOMAIN small ADD CHECK (holds(VALUE)) NOT VALID',
      ],
      [
        'a check of the domain of a domain',
        '',
        'INSERT INTO smalls VALUES (1)',
        'ALTER DOMAIN base ADD CHECK (holds(VALUE)) NOT VALID',
      ],
      [
        'a check of a domain in a row',
        '',
        "INSERT INTO boxes VALUES ('(1)')",
        'ALTER DOMAIN base ADD CHECK (holds(VALUE)) NOT VALID',
      ],
      [
        'what the check of a domain calls',
        'ALTER DOMAIN base ADD CHECK (holds(VALUE)) NOT VALID',
        'INSERT INTO smalls VALUES (1)',
        inner,
      ],
      [
        'a label of an enum',
        '',
        "DELETE FROM moods WHERE m = 'sad'",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'x'; ALTER TYPE mood RENAME VALUE 'glad' TO 'sad'",
      ],
      [
        'a conversion',
        '',
        'INSERT INTO log SELECT m FROM moods',
        'CREATE CAST (mood AS int) WITH FUNCTION number(mood) AS ASSIGNMENT',
      ],
      [
        'another function of a conversion',
        'CREATE CAST (mood AS int) WITH FUNCTION number(mood) AS ASSIGNMENT',
        'INSERT INTO log SELECT m FROM moods',
        'DROP CAST (mood AS int); CREATE CAST (mood AS int) WITH FUNCTION other_number(mood) AS ASSIGNMENT',
      ],
      [
        'an order',
        '',
        'INSERT INTO log SELECT 1 FROM (SELECT DISTINCT p FROM pairs) d',
        'CREATE OPERATOR CLASS o DEFAULT FOR TYPE pair USING btree AS FUNCTION 1 compared(pair, pair)',
      ],
      [
        'a collation',
        "CREATE COLLATION c (locale = 'C')",
        "DELETE FROM names WHERE name < 'a' COLLATE c",
        "DROP COLLATION c; CREATE COLLATION c (locale = 'POSIX')",
      ],
      [
        'a function that fits better',
        '',
        "DELETE FROM names WHERE lower(name) = 'x'",
        "CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1'",
      ],
      [
        'an operator that fits better',
        '',
        "DELETE FROM names WHERE name = 'x'::varchar",
        'CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)',
      ],
      [
        'a table that comes earlier',
        '',
        'DELETE FROM goods',
        'CREATE TABLE owner.goods AS TABLE goods',
      ],
      ['a view that comes earlier', '', 'DELETE FROM log', 'CREATE VIEW owner.log AS TABLE other'],
      [
        'a function that comes earlier',
        '',
        'INSERT INTO log SELECT step(id) FROM goods',
        "CREATE FUNCTION owner.step(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
      ],
      [
        'a type that comes earlier',
        '',
        "INSERT INTO names VALUES ('glad'::mood)",
        'CREATE DOMAIN owner.mood AS text CHECK (holds(length(VALUE)))',
      ],
      [
        'a schema in the path',
        'DROP SCHEMA owner',
        'DELETE FROM goods',
        'CREATE SCHEMA owner AUTHORIZATION owner',
      ],
      [
        'whose rights a view has',
        'ALTER VIEW cheap SET (security_invoker)',
        'DELETE FROM cheap',
        'ALTER VIEW cheap RESET (security_invoker)',
      ],
      [
        'which rows a view takes',
        'CREATE OR REPLACE VIEW cheap AS SELECT id FROM goods WITH CHECK OPTION',
        'INSERT INTO cheap VALUES (1)',
        'ALTER VIEW cheap RESET (check_option)',
      ],
      [
        'a view behind a view',
        '',
        'DELETE FROM cheapest',
        'CREATE OR REPLACE VIEW public.cheap AS SELECT id FROM goods',
      ],
      [
        'a rule behind a view',
        '',
        'DELETE FROM cheapest',
        'CREATE RULE r AS ON DELETE TO goods DO ALSO DELETE FROM other',
      ],
      [
        'a view in a policy',
        rowSecurity('USING (id IN (SELECT id FROM allowed))'),
        'DELETE FROM goods',
        'CREATE OR REPLACE VIEW public.allowed AS SELECT 2 AS id',
      ],
      [
        'a role that a policy is for',
        rowSecurity('TO pg_monitor USING (true)'),
        'DELETE FROM goods',
        'GRANT pg_monitor TO owner',
      ],
      [
        'whether policies count',
        rowSecurity('USING (id = 1)'),
        'DELETE FROM goods',
        'ALTER ROLE owner BYPASSRLS',
      ],
      [
        'a trigger on a partition of a partition',
        '',
        'DELETE FROM parts',
        'CREATE TRIGGER t AFTER DELETE ON parts_1_1 FOR EACH ROW EXECUTE FUNCTION note()',
      ],
      [
        'a partition of a partition',
        '',
        'DELETE FROM parts',
        'CREATE TABLE x PARTITION OF parts_1 DEFAULT',
      ],
      ['a child', '', 'DELETE FROM log', 'ALTER TABLE other INHERIT log'],
      [
        'a trigger on what goes along',
        '',
        'DELETE FROM above',
        'CREATE TRIGGER t AFTER DELETE ON below FOR EACH ROW EXECUTE FUNCTION note()',
      ],
      [
        'what goes along with what goes along',
        '',
        'DELETE FROM above',
        'ALTER TABLE log ADD FOREIGN KEY (id) REFERENCES below ON DELETE SET NULL',
      ],
      [
        'how an aggregate adds',
        '',
        'INSERT INTO log SELECT total(id) FROM goods',
        "CREATE OR REPLACE FUNCTION added(int, int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
      ],
      [
        'a default behind a procedure',
        '',
        'CALL tidy()',
        'ALTER TABLE log ALTER id SET DEFAULT step(1)',
      ],
      ['an index behind a procedure', '', 'CALL tidy()', 'CREATE INDEX ON log (step(id))'],
      ['a check behind a procedure', '', 'CALL tidy()', 'ALTER TABLE log ADD CHECK (holds(id))'],
      [
        'a check of a domain behind a procedure',
        '',
        'CALL tidy()',
        'ALTER DOMAIN base ADD CHECK (holds(VALUE)) NOT VALID',
      ],
      [
        'an operator behind a procedure',
        '',
        'CALL tidy()',
        'CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same)',
      ],
      [
        'an event trigger',
        '',
        'CREATE TABLE x (id int)',
        'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION told()',
      ],
      [
        'what an event trigger runs',
        'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION told()',
        'CREATE TABLE x (id int)',
        "CREATE OR REPLACE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RETURN; END'",
      ],
      [
        'what a foreign table stands for',
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id int) SERVER s OPTIONS (a 'b')",
        'DELETE FROM f',
        "ALTER FOREIGN TABLE f OPTIONS (SET a 'c')",
      ],
      [
        'which server a foreign table is on',
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (a 'b'); CREATE FOREIGN TABLE f (id int) SERVER s",
        'DELETE FROM f',
        "ALTER SERVER s OPTIONS (SET a 'c')",
      ],
    ])('%s', async (_, before, text, change) => {
      await db.root.query(`BEGIN; ${before}`)
      try {
        const sql = await db.read(text, db.root)
        const asOwner = async () => {
          await db.root.query('SET LOCAL ROLE owner')
          const bound = await db.boundTo(sql, db.root)
          await db.root.query('RESET ROLE')
          return bound
        }
        const bound = await asOwner()
        expect(await asOwner()).toBe(bound)
        await db.root.query(change)
        expect(await asOwner()).not.toBe(bound)
      } finally {
        await db.root.query('ROLLBACK')
      }
    })

    test.each([
      ['DELETE FROM cheapest'],
      ['INSERT INTO smalls VALUES (1)'],
      ['DELETE FROM parts'],
      ['DELETE FROM above'],
      ['CALL tidy()'],
    ])('nothing that leaves it as it is changes an approval: %s', async (text) => {
      const other = new pg.Client({
        ...{ host: db.root.host, port: db.root.port },
        database: db.root.database,
        user: 'postgres',
      })
      await other.connect()
      await db.session.query('CREATE TEMP TABLE IF NOT EXISTS mine (id int)')
      const sql = await db.read(text, db.session)
      const bound = await db.boundTo(sql, db.session)
      for (const change of [
        'INSERT INTO goods SELECT i, i FROM generate_series(1, 500) i',
        'ANALYZE',
        'VACUUM',
        'VACUUM FREEZE',
        'VACUUM FULL goods',
        'VACUUM FULL above',
        'TRUNCATE goods',
        'TRUNCATE above CASCADE',
        'REINDEX TABLE above',
        'REINDEX TABLE CONCURRENTLY above',
        'CLUSTER above USING above_pkey',
        'CREATE INDEX ON goods (price)',
        'CREATE INDEX CONCURRENTLY ON log (id)',
        'CREATE SEQUENCE counter',
        "SELECT nextval('counter')",
        'CREATE TABLE apart (id serial, n int DEFAULT random())',
        'DROP TABLE apart',
        'CREATE STATISTICS of_goods ON id, price FROM goods',
        'ALTER TABLE goods SET (fillfactor = 50)',
        'CREATE TEMP TABLE goods (id serial, n int DEFAULT random(), CHECK (id > 0))',
        'CREATE TEMP VIEW log AS TABLE public.log',
        'CREATE TRIGGER t AFTER DELETE ON pg_temp.goods FOR EACH ROW EXECUTE FUNCTION note()',
        "COMMENT ON TABLE public.goods IS 'x'",
        'CREATE PUBLICATION p FOR TABLE public.goods',
        'CREATE ROLE somebody_new',
        'DROP ROLE somebody_new',
        'DROP STATISTICS of_goods',
        'DROP PUBLICATION p',
        'DROP SEQUENCE counter',
      ]) {
        await other.query(change)
        expect.soft(await db.boundTo(sql, db.session), change).toBe(bound)
      }
      await other.end()
    })
  },
)
