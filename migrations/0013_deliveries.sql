-- Where the audit log is delivered to, and how much of it has got there. Any replica may deliver, one at a time for each place.

CREATE TABLE sallyport.audit_deliveries (
  name text PRIMARY KEY,
  -- The index in the log of the next event to deliver: everything before it is with the receiver.
  cursor bigint NOT NULL CHECK (cursor >= 0),
  -- Where the batch ends that was begun. Whoever repeats it delivers exactly the same events, under the same name.
  batch_end bigint CHECK (batch_end > cursor),
  -- The attempt that has the turn, and until when nobody else takes it.
  attempt uuid,
  attempt_until timestamptz,
  -- Failures since the last success.
  failures integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  delivered_at timestamptz,
  failed_at timestamptz,
  -- In words, without secrets.
  last_error text,
  -- What the configuration says of it, without secrets: a change of that is put on record.
  settings jsonb NOT NULL
);

-- Since when the event at this index has been in the log: long, where nobody knows any more.
CREATE FUNCTION sallyport.audit_waits_since(at bigint) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT sequenced_at FROM sallyport.audit_tree_stretches
                    WHERE start <= at ORDER BY start DESC LIMIT 1), '-infinity')
$$;

CREATE FUNCTION sallyport.audit_delivery_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.cursor < OLD.cursor OR NEW.name <> OLD.name THEN
    RAISE EXCEPTION 'a delivery of the audit log only goes on' USING ERRCODE = 'SP004';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_delivery_goes_on BEFORE UPDATE ON sallyport.audit_deliveries
  FOR EACH ROW EXECUTE FUNCTION sallyport.audit_delivery_goes_on();

GRANT SELECT, INSERT ON sallyport.audit_deliveries TO sallyport_gateway;
GRANT UPDATE (cursor, batch_end, attempt, attempt_until, failures, due_at, delivered_at, failed_at, last_error, settings)
  ON sallyport.audit_deliveries TO sallyport_gateway;
