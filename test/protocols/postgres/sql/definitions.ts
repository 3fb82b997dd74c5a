/** Definitions of every kind that the shop of `support.ts` can carry out, one a line. */
export const definitions = String.raw`
  ALTER TABLE customers RENAME TO x
  ALTER TABLE customers RENAME email TO x
  ALTER TABLE customers RENAME CONSTRAINT customers_pkey TO x
  ALTER TABLE customers ADD x int
  ALTER TABLE customers ADD x checked DEFAULT 1
  ALTER TABLE customers ADD UNIQUE (name)
  ALTER TABLE customers ADD CHECK (id > 0) NOT VALID
  ALTER TABLE customers DROP email
  ALTER TABLE customers DROP email CASCADE
  ALTER TABLE customers ALTER ssn TYPE varchar(10)
  ALTER TABLE customers ALTER id SET DEFAULT 1
  ALTER TABLE customers SET SCHEMA crm
  ALTER TABLE customers INHERIT customers
  ALTER TABLE plain ADD FOREIGN KEY (a) REFERENCES customers
  ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey
  ALTER TABLE orders DISABLE TRIGGER ALL
  ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE
  ALTER TABLE orders RENAME id TO x
  ALTER TABLE orders ALTER id TYPE bigint
  ALTER TABLE events ADD x int
  ALTER TABLE events RENAME id TO x
  ALTER TABLE events ADD PRIMARY KEY (id, at)
  ALTER TABLE events DETACH PARTITION events_2024
  ALTER TABLE events_2024 ADD CHECK (id > 0)
  ALTER TABLE guarded DISABLE ROW LEVEL SECURITY
  ALTER TABLE ruled DISABLE RULE r
  ALTER VIEW glad_customers RENAME TO x
  ALTER VIEW glad_customers RENAME address TO x
  ALTER VIEW glad_customers SET (security_barrier)
  ALTER INDEX customers_pkey RENAME TO x
  ALTER INDEX customers_pkey SET (fillfactor = 50)
  ALTER TABLE customers_pkey RENAME TO x
  ALTER TABLE customers_pkey SET (fillfactor = 50)
  ALTER SEQUENCE orders_id_seq RESTART
  ALTER SEQUENCE orders_id_seq OWNED BY NONE
  ALTER SEQUENCE orders_id_seq OWNED BY customers.id
  ALTER TYPE mood ADD VALUE 'calm'
  ALTER TYPE mood RENAME TO x
  ALTER DOMAIN unchecked ADD CHECK (VALUE > 0)
  ALTER TRIGGER t ON watched RENAME TO x
  ALTER POLICY p ON guarded USING (true)
  ALTER SCHEMA crm RENAME TO x
  ALTER MATERIALIZED VIEW totals RENAME TO x
  COMMENT ON TABLE customers IS 'x'
  COMMENT ON COLUMN customers.email IS 'x'
  COMMENT ON COLUMN glad_customers.address IS 'x'
  COMMENT ON INDEX customers_pkey IS 'x'
  COMMENT ON CONSTRAINT customers_pkey ON customers IS 'x'
  COMMENT ON TRIGGER t ON watched IS 'x'
  COMMENT ON POLICY p ON guarded IS 'x'
  COMMENT ON RULE r ON ruled IS 'x'
  COMMENT ON VIEW glad_customers IS 'x'
  COMMENT ON SEQUENCE orders_id_seq IS 'x'
  COMMENT ON FUNCTION spend(int) IS 'x'
  CREATE TABLE x (LIKE customers INCLUDING ALL)
  CREATE TABLE x (id int REFERENCES customers)
  CREATE TABLE x () INHERITS (plain)
  CREATE TABLE x PARTITION OF events DEFAULT
  CREATE TABLE x OF plain
  CREATE TABLE x AS TABLE two_steps
  CREATE TEMP TABLE x (LIKE customers)
  CREATE TEMP TABLE x AS TABLE glad_customers
  CREATE VIEW x AS TABLE two_steps
  CREATE OR REPLACE VIEW glad_customers AS SELECT id, email AS address, ssn FROM customers
  CREATE TEMP VIEW x AS TABLE customers
  CREATE MATERIALIZED VIEW x AS TABLE glad_customers
  CREATE INDEX ON customers (name)
  CREATE INDEX ON events (id)
  CREATE UNIQUE INDEX ON totals (customer_id)
  CREATE STATISTICS x ON id, name FROM customers
  CREATE RULE x AS ON DELETE TO plain DO ALSO DELETE FROM notes
  CREATE TRIGGER x AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION tell()
  CREATE CONSTRAINT TRIGGER x AFTER INSERT ON plain FROM customers FOR EACH ROW EXECUTE FUNCTION tell()
  CREATE POLICY x ON plain USING (EXISTS (SELECT FROM customers))
  CREATE PUBLICATION x FOR TABLE customers
  CREATE FUNCTION x() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM two_steps)
  CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT id FROM customers'
  CREATE SCHEMA x CREATE VIEW v AS SELECT 1 AS one
  CREATE SCHEMA x CREATE VIEW v AS SELECT email FROM public.customers
  CREATE SEQUENCE x OWNED BY plain.id
  DROP TABLE plain CASCADE
  DROP TABLE salaries
  DROP TABLE events
  DROP TABLE events_2024
  DROP VIEW two_steps
  DROP VIEW glad_customers CASCADE
  DROP MATERIALIZED VIEW totals
  DROP INDEX customers_pkey CASCADE
  DROP SEQUENCE orders_id_seq CASCADE
  DROP TRIGGER t ON watched
  DROP POLICY p ON guarded
  DROP RULE r ON ruled
  DROP SCHEMA crm CASCADE
  DROP TYPE mood CASCADE
  DROP DOMAIN checked
  DROP FUNCTION row_code(customers)
  DROP FUNCTION tell() CASCADE
  DROP FUNCTION spend(int) CASCADE
  GRANT SELECT ON customers TO public
  GRANT SELECT ON ALL TABLES IN SCHEMA crm TO public
  LOCK TABLE glad_customers
  LOCK TABLE events
  REFRESH MATERIALIZED VIEW totals
  REFRESH MATERIALIZED VIEW totals WITH NO DATA
  REINDEX TABLE customers
  REINDEX INDEX customers_pkey
  ANALYZE customers
  ANALYZE events
  CLUSTER customers USING customers_pkey
  TRUNCATE events
  TRUNCATE customers CASCADE
  DELETE FROM customers
  UPDATE customers SET id = 2
  DELETE FROM events
  DELETE FROM makers
  DELETE FROM known_makers
  DELETE FROM glad_customers
  INSERT INTO orders (customer_id) VALUES (1)
  INSERT INTO events VALUES (1, '2024-05-05')
  INSERT INTO ruled VALUES (1)
  UPDATE watched SET id = 1
  MERGE INTO plain USING customers ON plain.id = customers.id WHEN MATCHED THEN DELETE`
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '')
