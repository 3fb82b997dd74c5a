-- Who touched which data, how often and how much, by the hour: what the log says, counted. Nothing here is a record; `usage_rebuild` makes all of it anew.

-- Names a subject in a fixed length: nobody limits how long its own names are, and an index does.
CREATE FUNCTION sallyport.usage_who(issuer text, subject text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(convert_to(jsonb_build_array(issuer, subject)::text, 'UTF8'))
$$;

CREATE TABLE sallyport.usage_hours (
  -- When it begins. Decisions count in the hour in which they were taken, answers in the one in which they ended.
  hour timestamptz NOT NULL,
  -- SHA-256 over everything from issuer to model.
  key bytea NOT NULL,
  who bytea NOT NULL,
  -- Both are null once the subject was erased.
  issuer text,
  subject text,
  resource text,
  -- What one action touched together: it is counted here once, and under each of them where it is charted by them.
  datasets text[] NOT NULL,
  classes text[] NOT NULL,
  model text,
  -- Decided; of these denied, and held.
  actions bigint NOT NULL,
  denied bigint NOT NULL,
  held bigint NOT NULL,
  -- Ran, and ended.
  runs bigint NOT NULL,
  rows numeric NOT NULL,
  bytes numeric NOT NULL,
  tokens_in numeric NOT NULL,
  tokens_out numeric NOT NULL,
  tokens_cached numeric NOT NULL,
  PRIMARY KEY (hour, key)
);
CREATE INDEX usage_hours_by_subject ON sallyport.usage_hours (who, hour);

-- What a subject did for the first time: `table public.orders`, `dataset customers`, `class pii`.
CREATE TABLE sallyport.usage_first (
  who bytea NOT NULL,
  resource text NOT NULL,
  item text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  at timestamptz NOT NULL,
  -- That did it.
  action uuid NOT NULL,
  PRIMARY KEY (who, resource, item)
);
CREATE INDEX usage_first_by_time ON sallyport.usage_first (at);

-- How far the log is counted. One row: whoever locks it has the turn, and what it counts commits with it, so that nothing is counted twice or left out.
CREATE TABLE sallyport.usage_progress (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- The index in the log that comes next; it begins a stretch.
  next bigint NOT NULL DEFAULT 0,
  -- Time of the newest event that was counted.
  newest timestamptz
);
INSERT INTO sallyport.usage_progress DEFAULT VALUES;

-- For the owner of the tables. The gateways count everything anew then; budgets that look back deny until they are through.
CREATE FUNCTION sallyport.usage_rebuild() RETURNS void LANGUAGE plpgsql SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  UPDATE usage_progress SET next = 0, newest = NULL;
  DELETE FROM usage_hours;
  DELETE FROM usage_first;
END $$;
REVOKE ALL ON FUNCTION sallyport.usage_rebuild() FROM PUBLIC;

CREATE FUNCTION sallyport.usage_key(issuer text, subject text, resource text, datasets text[], classes text[], model text)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(convert_to(jsonb_build_array(issuer, subject, resource, datasets, classes, model)::text, 'UTF8'))
$$;

-- Whoever is erased from the log is erased here. What they did stays counted, and nobody's.
CREATE FUNCTION sallyport.usage_forget(of_issuer text, of_subject text) RETURNS void
LANGUAGE plpgsql SET search_path = sallyport, pg_catalog, pg_temp AS $$
DECLARE
  erased bytea := usage_who(of_issuer, of_subject);
BEGIN
  -- Of many events of theirs the first does all of it.
  IF NOT EXISTS (SELECT FROM usage_hours WHERE who = erased) AND NOT EXISTS (SELECT FROM usage_first WHERE who = erased) THEN
    RETURN;
  END IF;
  -- A replica that counts now has read the names already, and is waited for.
  PERFORM FROM usage_progress FOR UPDATE;
  DELETE FROM usage_first WHERE who = erased;
  WITH gone AS (DELETE FROM usage_hours WHERE who = erased RETURNING *)
  INSERT INTO usage_hours AS u
    SELECT hour, usage_key(NULL, NULL, resource, datasets, classes, model), usage_who(NULL, NULL), NULL, NULL, resource, datasets, classes, model,
           sum(actions), sum(denied), sum(held), sum(runs), sum(rows), sum(bytes), sum(tokens_in), sum(tokens_out), sum(tokens_cached)
      FROM gone GROUP BY hour, resource, datasets, classes, model
  ON CONFLICT (hour, key) DO UPDATE SET
    actions = u.actions + excluded.actions, denied = u.denied + excluded.denied, held = u.held + excluded.held,
    runs = u.runs + excluded.runs, rows = u.rows + excluded.rows, bytes = u.bytes + excluded.bytes,
    tokens_in = u.tokens_in + excluded.tokens_in, tokens_out = u.tokens_out + excluded.tokens_out,
    tokens_cached = u.tokens_cached + excluded.tokens_cached;
END $$;

CREATE FUNCTION sallyport.usage_is_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM usage_forget(OLD.issuer, OLD.subject);
  RETURN NULL;
END $$;

CREATE TRIGGER usage_is_erased AFTER UPDATE OF subject ON sallyport.audit_events
  FOR EACH ROW WHEN (OLD.subject IS NOT NULL AND NEW.subject IS NULL)
  EXECUTE FUNCTION sallyport.usage_is_erased();

GRANT SELECT, INSERT, UPDATE ON sallyport.usage_hours TO sallyport_gateway;
GRANT SELECT, INSERT ON sallyport.usage_first TO sallyport_gateway;
GRANT SELECT, UPDATE ON sallyport.usage_progress TO sallyport_gateway;
REVOKE ALL ON FUNCTION sallyport.usage_forget(text, text) FROM PUBLIC;
