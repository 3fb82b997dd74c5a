/** Statements over the whole grammar, one a line, by what they do at most. They are about the shop of `support.ts`. */

const lines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** Proven reads. Each of them runs in a transaction that the server holds read-only. */
export const reads = lines(String.raw`
  SELECT 1
  SELECT 1 AS one, 'two', 3.0, true, NULL, B'101', X'1F', 1e10
  SELECT
  VALUES (1, 'a'), (2, 'b')
  VALUES (1) ORDER BY 1 DESC LIMIT 1
  TABLE plain
  SELECT * FROM plain
  SELECT p.* FROM plain AS p
  SELECT ALL id FROM plain
  SELECT DISTINCT a FROM plain
  SELECT DISTINCT ON (a) a, b FROM plain ORDER BY a, b
  SELECT id FROM ONLY events
  SELECT id FROM events *
  SELECT a AS "Weird Name" FROM plain
  SELECT a FROM public.plain WHERE id = 1 AND NOT (b > 2 OR a IS NULL)
  SELECT a FROM plain WHERE a BETWEEN 1 AND 2
  SELECT a FROM plain WHERE a BETWEEN SYMMETRIC 2 AND 1
  SELECT a FROM plain WHERE a NOT BETWEEN 1 AND 2
  SELECT a FROM plain WHERE a IN (1, 2, 3)
  SELECT a FROM plain WHERE a NOT IN (SELECT id FROM orders)
  SELECT a FROM plain WHERE a = ANY (ARRAY[1, 2])
  SELECT a FROM plain WHERE a <> ALL (SELECT id FROM orders)
  SELECT a FROM plain WHERE (a, b) = (1, 2)
  SELECT a FROM plain WHERE (a, b) IN (SELECT id, id FROM orders)
  SELECT a FROM plain WHERE EXISTS (SELECT FROM orders WHERE orders.id = plain.id)
  SELECT a FROM plain WHERE a IS DISTINCT FROM b
  SELECT a FROM plain WHERE (a = 1) IS NOT TRUE
  SELECT name FROM customers WHERE name LIKE 'a%' ESCAPE '!'
  SELECT name FROM customers WHERE name NOT ILIKE '%x'
  SELECT name FROM customers WHERE name SIMILAR TO 'a|b'
  SELECT name FROM customers WHERE name ~* '^a' AND name !~ 'b'
  SELECT name COLLATE "C" FROM customers ORDER BY name COLLATE "C" ASC NULLS FIRST
  SELECT a FROM plain ORDER BY a USING <
  SELECT a FROM plain LIMIT 10 OFFSET 5
  SELECT a FROM plain OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY
  SELECT a, count(*) FROM plain GROUP BY a HAVING count(*) > 1
  SELECT a, b, count(*), grouping(a) FROM plain GROUP BY GROUPING SETS ((a), (b), ())
  SELECT a, b, sum(id) FROM plain GROUP BY ROLLUP (a, b)
  SELECT a, b FROM plain GROUP BY CUBE (a, b)
  SELECT count(DISTINCT a), array_agg(b ORDER BY b), string_agg(b::text, ',') FILTER (WHERE b > 1) FROM plain
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM plain
  SELECT row_number() OVER (PARTITION BY a ORDER BY b), sum(a) OVER w FROM plain WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  SELECT lag(a, 1) OVER (ORDER BY id), first_value(b) OVER (ORDER BY id RANGE UNBOUNDED PRECEDING) FROM plain
  SELECT * FROM plain JOIN orders ON plain.id = orders.id
  SELECT * FROM plain LEFT OUTER JOIN orders USING (id)
  SELECT * FROM plain RIGHT JOIN orders USING (id) AS j
  SELECT * FROM plain FULL JOIN orders ON true
  SELECT * FROM plain CROSS JOIN orders
  SELECT * FROM plain NATURAL JOIN customers
  SELECT * FROM (plain JOIN orders USING (id)) AS j (i)
  SELECT * FROM plain p, LATERAL (SELECT p.a + 1 AS n) l
  SELECT * FROM plain p CROSS JOIN LATERAL generate_series(1, p.a) g(n)
  SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS t(n, i)
  SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b'])) AS t(n, s)
  SELECT * FROM json_to_recordset('[{"a": 1}]') AS t(a int, b text)
  SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS t(n, s)
  SELECT * FROM plain TABLESAMPLE BERNOULLI (10) REPEATABLE (1)
  SELECT * FROM plain TABLESAMPLE SYSTEM (10)
  SELECT id FROM plain UNION SELECT id FROM orders
  SELECT id FROM plain UNION ALL SELECT id FROM orders ORDER BY id LIMIT 3
  (SELECT id FROM plain) INTERSECT (SELECT id FROM orders) EXCEPT SELECT 1
  WITH p AS (SELECT a FROM plain) SELECT * FROM p
  WITH p (x) AS MATERIALIZED (SELECT a FROM plain), q AS NOT MATERIALIZED (SELECT x FROM p) SELECT * FROM q, p
  WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
  WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SEARCH DEPTH FIRST BY n SET o SELECT * FROM r
  WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) CYCLE n SET c USING p SELECT * FROM r
  SELECT (SELECT max(id) FROM orders), ARRAY(SELECT id FROM orders)
  SELECT CASE a WHEN 1 THEN 'one' ELSE 'many' END FROM plain
  SELECT CASE WHEN a > 1 THEN b END FROM plain
  SELECT coalesce(a, b, 0), nullif(a, b), greatest(a, b), least(a, b) FROM plain
  SELECT ROW(1, 'a'), (1, 2), ROW()
  SELECT ARRAY[[1, 2], [3, 4]], '{1,2}'::int[], (ARRAY[1, 2, 3])[2:3]
  SELECT tags[1], tags[1:2], body -> 'a' ->> 'b', body #>> '{a,b}', body['a'] FROM notes
  SELECT body @> '{"a": 1}', body ? 'a', jsonb_path_query(body, '$.a') FROM notes
  SELECT (p).a, (p).* FROM plain p
  SELECT p, p::text, to_jsonb(p), row_to_json(p) FROM plain p
  SELECT 1::int, CAST('2' AS integer), '2024-01-01'::date, date '2024-01-01', interval '1 day', int4 '5'
  SELECT '1'::numeric(10, 2), 'x'::varchar(3), 'glad'::mood, '1'::unchecked, 'pg_class'::regclass
  SELECT now(), current_timestamp(3), current_date, localtime, current_user, session_user, current_schema, current_catalog
  SELECT extract(year FROM now()), now() AT TIME ZONE 'utc', (now(), now()) OVERLAPS (now(), now())
  SELECT substring('abc' FROM 1 FOR 2), position('a' IN 'abc'), trim(BOTH 'x' FROM 'xax'), overlay('abc' PLACING 'x' FROM 1)
  SELECT 'a' || 'b', 1 + 2 * 3 % 4, 4 ^ 5, -1, +1, |/ 4, @ -5, 1 << 2, 5 & 3 | 1 # 2, ~1
  SELECT 1 OPERATOR(pg_catalog.+) 2
  SELECT 'abc' ^@ 'a', 'a' < 'b', 'x' IS NORMALIZED
  SELECT lower('A'), upper('b'), length('x'), md5('x'), abs(-1), round(1.5), random(), gen_random_uuid()
  SELECT format('%s', 1), concat('a', 1), regexp_replace('a', 'b', 'c'), split_part('a.b', '.', 1)
  SELECT jsonb_build_object('a', 1), jsonb_agg(a), json_object_agg(a, b) FROM plain WHERE a IS NOT NULL
  SELECT JSON_OBJECT('a': 1), JSON_ARRAY(1, 2), JSON_ARRAY(SELECT a FROM plain), '{}' IS JSON OBJECT
  SELECT JSON_VALUE('{"a": 1}'::jsonb, '$.a'), JSON_EXISTS('{}'::jsonb, '$.a'), JSON_QUERY('{}'::jsonb, '$')
  SELECT JSON_OBJECTAGG(a: b), JSON_ARRAYAGG(a ORDER BY a) FROM plain WHERE a IS NOT NULL
  SELECT * FROM JSON_TABLE('[{"a": 1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a', n FOR ORDINALITY)) AS t
  SELECT JSON('{}'), JSON_SCALAR(1), JSON_SERIALIZE('{}')
  SELECT to_tsvector('english', 'a cat') @@ to_tsquery('cat'), ts_rank(to_tsvector('a'), to_tsquery('a'))
  SELECT int4range(1, 5) @> 3, daterange('2024-01-01', NULL), lower(int4range(1, 2))
  SELECT point '(1,2)' <-> point '(3,4)', box '((0,0),(1,1))' && box '((0,0),(2,2))'
  SELECT inet '10.0.0.1' << inet '10.0.0.0/8', host('10.0.0.1'::inet)
  SELECT make_interval(days => 3), make_date(2024, 1, 1)
  SELECT count(*) FROM generate_series('2024-01-01'::timestamptz, '2024-01-03', '1 day')
  SELECT * FROM glad_customers
  SELECT address FROM two_steps WHERE n > 0
  SELECT total FROM totals
  SELECT last_value FROM orders_id_seq
  SELECT * FROM crm.people
  SELECT "a.b" FROM "Odd.Name"
  SELECT xmin, ctid, tableoid::regclass FROM plain
  SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
  SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE pg_catalog.pg_table_is_visible(c.oid)
  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = '1259'
  SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
  SELECT name, setting FROM pg_settings
  SELECT pid, query FROM pg_stat_activity
  SELECT * FROM pg_locks
  SELECT pg_size_pretty(pg_total_relation_size('plain')), pg_database_size(current_database())
  SELECT has_table_privilege('plain', 'select'), obj_description('plain'::regclass), to_regclass('plain')
  SELECT current_setting('search_path'), version(), pg_backend_pid(), pg_is_in_recovery()
  SELECT current_setting('jit') AS cur, set_config('jit', 'off', false) AS new
  SELECT pg_get_functiondef('spend'::regproc), pg_get_constraintdef(oid) FROM pg_constraint
  SHOW search_path
  SHOW ALL
  SHOW TRANSACTION ISOLATION LEVEL
  EXPLAIN SELECT * FROM plain
  EXPLAIN (FORMAT json, VERBOSE) SELECT * FROM plain
  EXPLAIN DELETE FROM plain
  EXPLAIN (ANALYZE false) UPDATE plain SET a = 1
  EXPLAIN ANALYZE SELECT * FROM plain
  DECLARE c CURSOR FOR SELECT * FROM plain
  COPY plain TO STDOUT
  COPY plain (a, b) TO STDOUT WITH (FORMAT csv, HEADER)
  COPY (SELECT a FROM plain) TO STDOUT (FORMAT binary)
  PREPARE p1 (int) AS SELECT a FROM plain WHERE id = $1
  SET LOCAL statement_timeout = '5s'
  SET timezone TO 'UTC'
  SET TIME ZONE LOCAL
  RESET statement_timeout
`)

/** Change data, or take locks. */
export const writes = lines(String.raw`
  INSERT INTO plain VALUES (1, 2, 3)
  INSERT INTO plain (id, a) VALUES (1, DEFAULT), (2, 3)
  INSERT INTO plain DEFAULT VALUES
  INSERT INTO plain SELECT id, id, id FROM orders
  INSERT INTO plain (id) TABLE salaries
  INSERT INTO orders (customer_id) OVERRIDING USER VALUE VALUES (1) RETURNING *
  INSERT INTO customers AS c (id) VALUES (1) ON CONFLICT DO NOTHING
  INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) WHERE id > 0 DO UPDATE SET name = excluded.name WHERE customers.id = 1
  INSERT INTO customers (id) VALUES (1) ON CONFLICT ON CONSTRAINT customers_pkey DO NOTHING
  WITH n AS (SELECT 1 AS id) INSERT INTO plain (id) SELECT id FROM n RETURNING id
  INSERT INTO glad_customers (id) VALUES (9)
  UPDATE plain SET a = 1
  UPDATE ONLY events SET id = 1
  UPDATE plain SET a = b, b = a WHERE id = 1
  UPDATE plain SET (a, b) = (1, 2)
  UPDATE plain SET (a, b) = (SELECT id, id FROM orders LIMIT 1)
  UPDATE notes SET tags[1] = 'x', body['a'] = '1'
  UPDATE plain p SET a = o.id FROM orders o WHERE o.id = p.id RETURNING p.*, o.id
  UPDATE plain SET a = DEFAULT WHERE CURRENT OF c
  UPDATE watched SET id = 1
  DELETE FROM plain
  DELETE FROM plain AS p USING orders o WHERE o.id = p.id
  DELETE FROM plain WHERE id IN (SELECT id FROM orders) RETURNING id
  DELETE FROM customers WHERE id = 1
  WITH d AS (DELETE FROM plain RETURNING *) SELECT count(*) FROM d
  WITH i AS (INSERT INTO plain VALUES (1) RETURNING id), u AS (UPDATE plain SET a = 1 RETURNING id) SELECT * FROM i, u
  WITH m AS (MERGE INTO plain p USING orders o ON p.id = o.id WHEN MATCHED THEN DELETE RETURNING p.id) SELECT * FROM m
  MERGE INTO plain p USING orders o ON p.id = o.id WHEN MATCHED AND p.a > 1 THEN UPDATE SET a = o.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, a) VALUES (o.id, 1)
  MERGE INTO plain p USING (SELECT 1 AS id) s ON p.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED THEN DO NOTHING
  TRUNCATE plain
  TRUNCATE TABLE ONLY plain, orders RESTART IDENTITY CASCADE
  LOCK TABLE plain IN ACCESS EXCLUSIVE MODE NOWAIT
  SELECT * FROM plain FOR UPDATE
  SELECT * FROM plain p FOR NO KEY UPDATE OF p SKIP LOCKED
  SELECT * FROM plain FOR SHARE NOWAIT
  SELECT * FROM (SELECT * FROM plain FOR KEY SHARE) s
  COPY plain FROM STDIN
  COPY plain (id, a) FROM STDIN WITH (FORMAT csv) WHERE id > 1
  COPY (DELETE FROM plain RETURNING id) TO STDOUT
  EXPLAIN ANALYZE INSERT INTO plain VALUES (1)
  EXPLAIN (BUFFERS, ANALYZE true) DELETE FROM plain
  EXPLAIN ANALYZE CREATE TEMP TABLE t1 AS SELECT * FROM plain
  PREPARE p2 AS UPDATE plain SET a = $1
  CREATE TEMP TABLE t2 (id int)
  CREATE TEMPORARY TABLE t3 ON COMMIT DROP AS SELECT * FROM plain
  SELECT * INTO TEMP t4 FROM plain
  CREATE TEMP SEQUENCE s1
  SELECT nextval('orders_id_seq')
  SELECT setval('orders_id_seq', 10)
  SELECT id, nextval('orders_id_seq') FROM plain
  SELECT pg_advisory_lock(1)
  SELECT pg_try_advisory_xact_lock(1)
  SELECT pg_notify('c', 'x')
  SELECT lo_create(0)
  NOTIFY c, 'payload'
  LISTEN c
  SET CONSTRAINTS ALL DEFERRED
`)

/** Change what the database is, or who may do what. */
export const admin = lines(String.raw`
  CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL DEFAULT 'x' CHECK (a <> ''), b int REFERENCES plain2 ON DELETE CASCADE, c int GENERATED ALWAYS AS (id * 2) STORED, d int GENERATED BY DEFAULT AS IDENTITY)
  CREATE UNLOGGED TABLE IF NOT EXISTS t (LIKE plain INCLUDING ALL)
  CREATE TABLE t PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  CREATE TABLE t () INHERITS (plain)
  CREATE TABLE t OF some_type
  CREATE TABLE t AS SELECT * FROM plain WITH NO DATA
  CREATE TABLE t AS TABLE plain
  SELECT * INTO t FROM plain
  CREATE VIEW v AS SELECT * FROM plain
  CREATE OR REPLACE VIEW v (a) WITH (security_barrier) AS SELECT id FROM plain WITH CHECK OPTION
  CREATE TEMP VIEW v AS SELECT * FROM plain
  CREATE RECURSIVE VIEW v (n) AS SELECT 1
  CREATE MATERIALIZED VIEW v AS SELECT * FROM plain
  REFRESH MATERIALIZED VIEW CONCURRENTLY totals
  CREATE UNIQUE INDEX CONCURRENTLY i ON plain USING btree (a DESC, lower(b::text)) INCLUDE (id) WHERE a > 1
  CREATE SEQUENCE s START 10 OWNED BY plain.id
  ALTER SEQUENCE orders_id_seq RESTART
  CREATE SCHEMA s AUTHORIZATION postgres CREATE TABLE t (id int)
  CREATE TYPE t AS (a int, b text)
  CREATE TYPE t AS ENUM ('a')
  CREATE TYPE t AS RANGE (subtype = int4)
  CREATE DOMAIN d AS int CHECK (VALUE > 0)
  CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1'
  CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END
  CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN END'
  CREATE AGGREGATE g (int) (SFUNC = int4pl, STYPE = int)
  CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
  CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <
  CREATE OPERATOR FAMILY f USING btree
  CREATE CAST (int AS mood) WITH INOUT AS IMPLICIT
  CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1
  CREATE COLLATION c (locale = 'C')
  CREATE TEXT SEARCH CONFIGURATION c (COPY = english)
  CREATE STATISTICS s ON a, b FROM plain
  CREATE TRIGGER t BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION tell()
  CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION tell()
  CREATE RULE r AS ON DELETE TO plain DO INSTEAD NOTHING
  CREATE POLICY p ON plain USING (true)
  ALTER POLICY p ON guarded USING (true)
  CREATE EXTENSION IF NOT EXISTS hstore
  ALTER EXTENSION hstore UPDATE
  CREATE LANGUAGE plperlu
  CREATE FOREIGN DATA WRAPPER w
  CREATE SERVER s FOREIGN DATA WRAPPER w
  CREATE USER MAPPING FOR postgres SERVER s
  CREATE FOREIGN TABLE t (id int) SERVER s
  IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public
  CREATE PUBLICATION p FOR ALL TABLES
  CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p
  ALTER PUBLICATION p ADD TABLE plain
  CREATE DATABASE d
  ALTER DATABASE d SET work_mem = 1
  DROP DATABASE d
  CREATE TABLESPACE t LOCATION '/x'
  CREATE ROLE r LOGIN SUPERUSER PASSWORD 'x'
  CREATE USER u
  CREATE GROUP g
  ALTER ROLE r WITH PASSWORD 'x'
  ALTER ROLE ALL SET search_path = x
  ALTER USER u VALID UNTIL 'infinity'
  DROP ROLE IF EXISTS r
  GRANT SELECT (a), INSERT ON plain TO r WITH GRANT OPTION
  GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC
  GRANT EXECUTE ON FUNCTION spend(int) TO r
  GRANT r TO u
  REVOKE r FROM u
  REVOKE ALL ON plain FROM r CASCADE
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r
  REASSIGN OWNED BY r TO u
  DROP OWNED BY r
  ALTER TABLE plain ADD COLUMN c int DEFAULT 1, DROP COLUMN a, ALTER COLUMN b TYPE text USING b::text
  ALTER TABLE plain RENAME TO simple
  ALTER TABLE plain RENAME COLUMN a TO z
  ALTER TABLE plain OWNER TO r
  ALTER TABLE plain SET SCHEMA crm
  ALTER TABLE plain DISABLE TRIGGER ALL
  ALTER TABLE guarded NO FORCE ROW LEVEL SECURITY
  ALTER TABLE events ATTACH PARTITION plain DEFAULT
  ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY
  ALTER VIEW glad_customers RENAME TO v
  ALTER INDEX i SET (fillfactor = 50)
  ALTER TYPE mood ADD VALUE 'calm' BEFORE 'sad'
  ALTER DOMAIN checked DROP NOT NULL
  ALTER FUNCTION spend(int) SECURITY DEFINER
  ALTER FUNCTION spend(int) OWNER TO r
  ALTER OPERATOR crm.+ (text, text) OWNER TO r
  ALTER SYSTEM SET fsync = off
  ALTER SYSTEM RESET ALL
  DROP TABLE plain
  DROP TABLE IF EXISTS plain, orders CASCADE
  DROP VIEW glad_customers
  DROP FUNCTION spend(int)
  DROP SCHEMA crm CASCADE
  DROP INDEX CONCURRENTLY i
  DROP TYPE mood
  DROP TRIGGER t ON watched
  DROP RULE r ON ruled
  DROP POLICY p ON guarded
  DROP EXTENSION hstore
  DROP CAST (int AS mood)
  DROP SEQUENCE orders_id_seq
  COMMENT ON TABLE plain IS 'x'
  COMMENT ON COLUMN plain.a IS NULL
  SECURITY LABEL ON TABLE plain IS 'x'
  VACUUM (FULL, ANALYZE) plain
  ANALYZE plain (a)
  CLUSTER plain USING i
  REINDEX TABLE plain
  CHECKPOINT
  LOAD 'x'
  PREPARE TRANSACTION 'x'
  COMMIT PREPARED 'x'
  ROLLBACK PREPARED 'x'
  SET ROLE r
  SET SESSION AUTHORIZATION r
  SET search_path TO crm, public
  SET standard_conforming_strings TO off
  SET LOCAL app.tenant = '1'
  SELECT set_config('search_path', '', false)
  SELECT pg_read_file('x')
  SELECT pg_cancel_backend(1), pg_rotate_logfile()
  SELECT pg_create_physical_replication_slot('x')
  COPY plain FROM '/tmp/x'
  COPY plain TO '/tmp/x' BINARY
  UPDATE pg_class SET relname = 'x'
  DELETE FROM pg_catalog.pg_authid
`)

/** Nobody can tell what they do. */
export const unknown = lines(String.raw`
  DO 'BEGIN END'
  DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; END $$
  CALL tidy()
  EXECUTE nobody_knows
  EXECUTE nobody_knows (1, 2)
  FETCH NEXT FROM nobody_knows
  MOVE BACKWARD 3 IN nobody_knows
  SELECT spend(1)
  SELECT looks_calm(1)
  SELECT public.spend(1) FROM plain
  SELECT * FROM spend(1) AS s(x)
  SELECT * FROM spending
  SELECT * FROM guarded
  SELECT '1'::checked
  SELECT * FROM no_such_table
  SELECT no_such_function(1)
  SELECT 'x'::no_such_type
  SELECT 1 OPERATOR(public.@@@) 2
  SELECT c.row_code FROM customers c
  SELECT query_to_xml('SELECT 1', true, true, '')
  SELECT database_to_xml(true, true, '')
  SELECT ts_stat('SELECT 1')
  SELECT dblink_exec('x')
  SELECT pg_sleep(1)
  SELECT pg_input_is_valid('1', 'checked')
  INSERT INTO ruled VALUES (1)
  INSERT INTO plain SELECT spend(1)
  UPDATE plain SET a = spend(a)
  DELETE FROM plain WHERE spend(id) = 1
  UPDATE plain SET a = 1 RETURNING spend(a)
  MERGE INTO plain p USING spend(1) s(i) ON p.id = s.i WHEN MATCHED THEN DELETE
  COPY plain TO PROGRAM 'cat'
  COPY plain FROM PROGRAM 'cat'
  COPY (SELECT spend(1)) TO STDOUT
  EXPLAIN SELECT spend(1)
  EXPLAIN ANALYZE EXECUTE nobody_knows
  DECLARE c CURSOR FOR SELECT spend(1)
  PREPARE p3 AS SELECT spend($1)
  CREATE TEMP TABLE t5 AS SELECT spend(1)
  CREATE INDEX ON plain (looks_calm(a))
  UPDATE pg_settings SET setting = 'x'
`)
