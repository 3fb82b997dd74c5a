/** Wherever the grammar has an expression, a type or an operator: each with one of the shop of `support.ts` that runs somebody's own code, one a line. */
export const callsEverywhere = String.raw`
  SELECT * FROM ROWS FROM (json_to_record('{}') AS (a checked)) AS t
  SELECT * FROM json_to_record('{}') AS t(a checked)
  SELECT * FROM XMLTABLE('/a' PASSING ('<a/>'::xml) COLUMNS a checked PATH 'x')
  SELECT * FROM XMLTABLE('/a' PASSING ('<a/>'::xml) COLUMNS a int PATH 'x' DEFAULT spend(1))
  SELECT * FROM JSON_TABLE('[]'::jsonb, '$' COLUMNS (a checked PATH '$'))
  SELECT * FROM JSON_TABLE('[]'::jsonb, '$' COLUMNS (a int PATH '$' DEFAULT spend(1) ON EMPTY))
  SELECT * FROM JSON_TABLE('[]'::jsonb, '$' PASSING spend(1) AS x COLUMNS (NESTED PATH '$' COLUMNS (b checked)))
  SELECT JSON_VALUE('{}'::jsonb, '$' RETURNING checked)
  SELECT JSON_QUERY('{}'::jsonb, '$' DEFAULT spend(1) ON EMPTY)
  SELECT JSON_EXISTS('{}'::jsonb, '$' PASSING spend(1) AS x)
  SELECT JSON_OBJECT('a' VALUE spend(1))
  SELECT JSON_ARRAY(SELECT spend(1))
  SELECT JSON_ARRAYAGG(id ORDER BY spend(id)) FROM plain
  SELECT JSON_OBJECTAGG(id: spend(id)) FILTER (WHERE spend(id) = 1) FROM plain
  SELECT JSON_SERIALIZE('{}' RETURNING checked)
  SELECT XMLELEMENT(name a, XMLATTRIBUTES(spend(1) AS x))
  SELECT XMLSERIALIZE(CONTENT xmlforest(spend(1) AS x) AS text)
  SELECT XMLPARSE(DOCUMENT spend(1)::text)
  SELECT '{1}'::checked[]
  SELECT CAST(ARRAY['1'] AS checked[])
  SELECT (ARRAY[1])[spend(1)]
  SELECT (ARRAY[1])[1:spend(1)]
  SELECT sum(id) OVER (ORDER BY id ROWS spend(1) PRECEDING) FROM plain
  SELECT sum(id) OVER w FROM plain WINDOW w AS (PARTITION BY spend(id))
  SELECT 1 FROM plain GROUP BY GROUPING SETS ((spend(id)), ())
  SELECT 1 FROM plain GROUP BY CUBE ((id, spend(id)))
  SELECT 1 FROM plain GROUP BY (id, spend(id))
  SELECT 1 FROM plain HAVING spend(1) = 1
  SELECT 1 FROM plain FETCH FIRST (spend(1)) ROWS ONLY
  VALUES (1) ORDER BY spend(1)
  SELECT 1 UNION SELECT 2 LIMIT spend(1)
  SELECT id FROM plain ORDER BY id USING OPERATOR(crm.+)
  SELECT 1 FROM plain WHERE 1 OPERATOR(crm.+) ANY (SELECT 1)
  SELECT 1 FROM plain WHERE (1, 2) OPERATOR(crm.+) (3, 4)
  SELECT nullif(1, spend(1))
  SELECT greatest(1, spend(1))
  SELECT spend(1) IS NULL
  SELECT (spend(1) = 1) IS NOT FALSE
  SELECT 1 WHERE EXISTS (SELECT FROM spend(1))
  SELECT x.* FROM plain, LATERAL spend(plain.id) AS x
  SELECT 1 FROM plain JOIN orders ON spend(1) = 1
  SELECT 1 FROM plain TABLESAMPLE bernoulli (spend(1))
  SELECT 1 FROM plain TABLESAMPLE system (1) REPEATABLE (spend(2))
  SELECT plain.spend FROM plain
  SELECT (plain).spend FROM plain
  SELECT (SELECT c FROM customers c LIMIT 1).row_code
  SELECT (ARRAY(SELECT c FROM customers c))[1].row_code
  INSERT INTO plain (id) VALUES (spend(1)) ON CONFLICT DO NOTHING
  INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = spend(1)
  INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) WHERE spend(id) = 1 DO NOTHING
  INSERT INTO customers (id) VALUES (1) ON CONFLICT ((spend(id))) DO NOTHING
  INSERT INTO plain DEFAULT VALUES RETURNING spend(id)
  UPDATE plain SET (a, b) = ROW(spend(1), 2)
  UPDATE plain SET (a, b) = (SELECT spend(1), 2)
  UPDATE notes SET tags[spend(1)] = 'x'
  UPDATE plain SET a = 1 FROM spend(1)
  DELETE FROM plain RETURNING WITH (OLD AS o) spend(o.id)
  MERGE INTO plain p USING orders o ON spend(o.id) = p.id WHEN MATCHED THEN DELETE
  MERGE INTO plain p USING orders o ON o.id = p.id WHEN MATCHED AND spend(1) = 1 THEN DELETE
  MERGE INTO plain p USING orders o ON o.id = p.id WHEN MATCHED THEN UPDATE SET a = spend(1)
  MERGE INTO plain p USING orders o ON o.id = p.id WHEN NOT MATCHED THEN INSERT VALUES (spend(1))
  MERGE INTO plain p USING orders o ON o.id = p.id WHEN MATCHED THEN DELETE RETURNING spend(1)
  WITH x AS (SELECT spend(1)) SELECT 1
  WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT spend(n) FROM r) SELECT 1 FROM r
  COPY plain FROM STDIN WHERE spend(a) = 1
  COPY (VALUES (spend(1))) TO STDOUT
  PREPARE p AS VALUES (spend(1))
  DECLARE c CURSOR FOR VALUES (spend(1))
  EXPLAIN VALUES (spend(1))
  CREATE TEMP TABLE t (a int DEFAULT spend(1))
  CREATE TEMP TABLE t (a int CHECK (spend(a) > 0))
  CREATE TEMP TABLE t (a int, b int GENERATED ALWAYS AS (spend(a)) STORED)
  CREATE TEMP TABLE t AS VALUES (spend(1))
  SELECT 1 INTO TEMP t WHERE spend(1) = 1
  SELECT * FROM (VALUES (spend(1))) v
  SELECT ALL (SELECT spend(1))
  SELECT 1 = ALL (ARRAY[spend(1)])
  SELECT 1 IN (1, spend(1))
  SELECT 1 BETWEEN 0 AND spend(1)
  SELECT 'a' LIKE spend(1)::text
  SELECT 'a' SIMILAR TO spend(1)::text ESCAPE 'x'
  SELECT now() AT TIME ZONE spend(1)::text
  SELECT extract(year FROM to_timestamp(spend(1)))
  SELECT substring('a' FROM spend(1))
  SELECT overlay('a' PLACING 'b' FROM spend(1))
  SELECT position('a' IN spend(1)::text)
  SELECT trim(spend(1)::text FROM 'a')
  SELECT (now(), now()) OVERLAPS (now(), to_timestamp(spend(1)))
  SELECT normalize(spend(1)::text)
  SELECT spend(1)::text IS NFC NORMALIZED
  SELECT COLLATION FOR (spend(1)::text)
  SELECT spend(1)::text COLLATE "C"
  SELECT TREAT(1 AS checked)
  SELECT checked '1'
  SELECT ROW(spend(1), 2)
  SELECT percentile_cont(spend(1)) WITHIN GROUP (ORDER BY id) FROM plain
  SELECT count(*) FILTER (WHERE spend(id) > 0) FROM plain
  SELECT array_agg(id ORDER BY spend(id)) FROM plain
  SELECT concat(VARIADIC ARRAY[spend(1)])
  SELECT make_interval(days => spend(1))
  SELECT set_config('jit', spend(1)::text, false)
  SELECT nextval(spend(1)::text)
  SELECT coalesce(1, spend(1))
  SELECT (id).checked FROM plain
  SELECT ('1'::int).checked
  ALTER TABLE plain ALTER a TYPE int USING a::checked
  ALTER TABLE customers ALTER id TYPE int USING customers.row_code
  ALTER TABLE customers ADD CHECK ((customers).row_code > 0)
  ALTER TABLE plain ADD COLUMN c int DEFAULT 1::checked
  ALTER TABLE plain ADD CHECK (a IN (1, 2::checked))
  CREATE INDEX ON plain ((a::checked))
  CREATE INDEX ON plain ((CASE WHEN a > 1 THEN spend(a) END))
  CREATE TABLE t PARTITION OF events FOR VALUES FROM ('1'::checked) TO ('2026-01-01')
`
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '')
