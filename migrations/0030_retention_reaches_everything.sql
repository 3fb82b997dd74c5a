-- What leaves the log, for good or by erasure, leaves what was made of the log; a legal hold ends on record; and events that came into no month of their own leave as others do.

-- Their counts stay, and are nobody's.
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

CREATE OR REPLACE FUNCTION sallyport.usage_is_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM usage_forget(OLD.issuer, OLD.subject);
  RETURN NULL;
END $$;

CREATE FUNCTION sallyport.audit_words_forget(subjects text[]) RETURNS void
LANGUAGE plpgsql SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  -- Words that are being built now may be those of before: they are waited for, and erased as well.
  PERFORM FROM audit_words_progress FOR UPDATE;
  UPDATE audit_words w SET words = NULL
    FROM (SELECT DISTINCT left(subject, 200) AS subject FROM unnest(subjects) subject WHERE subject IS NOT NULL) e
   WHERE w.words @@ ('''subject=' || replace(replace(e.subject, '\', '\\'), '''', '''''') || '''')::tsquery;
END $$;

CREATE OR REPLACE FUNCTION sallyport.audit_words_are_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM audit_words_forget(ARRAY(SELECT DISTINCT subject FROM erased));
  RETURN NULL;
END $$;

-- As before; and what was made of events that have left the database already, which no trigger sees.
CREATE OR REPLACE FUNCTION sallyport.erase_beside_log(of_issuer text, of_subject text, why text, in_log bigint) RETURNS sallyport.erasures
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
DECLARE
  done sallyport.erasures;
  of_approvals bigint;
  of_votes bigint;
BEGIN
  -- Closed: what people decide about must not vanish before them, nor what runs.
  IF EXISTS (SELECT FROM approvals WHERE state IN ('pending', 'approved', 'dispatching')
               AND action -> 'subject' ->> 'issuer' = of_issuer AND action -> 'subject' ->> 'subject' = of_subject) THEN
    RAISE EXCEPTION 'an approval of this subject is open: end it first' USING ERRCODE = 'SP005';
  END IF;
  UPDATE approvals SET action = erased_action(action), payload = '{"erased":true}'
   WHERE action -> 'subject' ->> 'issuer' = of_issuer AND action -> 'subject' ->> 'subject' = of_subject
     AND payload::text <> '{"erased":true}';
  GET DIAGNOSTICS of_approvals = ROW_COUNT;
  -- Glass is never broken without a reason: that there was one stays.
  UPDATE approval_votes SET reason = CASE WHEN decision = 'break_glass' THEN 'erased on request' END
   WHERE issuer = of_issuer AND subject = of_subject AND reason IS NOT NULL;
  GET DIAGNOSTICS of_votes = ROW_COUNT;
  DELETE FROM sessions WHERE issuer = of_issuer AND subject = of_subject;
  DELETE FROM chat_links WHERE issuer = of_issuer AND subject = of_subject;
  DELETE FROM saved_searches WHERE issuer = of_issuer AND subject = of_subject;
  PERFORM usage_forget(of_issuer, of_subject);
  PERFORM audit_words_forget(ARRAY[of_subject]);
  -- The row stays, since votes refer to it. Whoever comes again is written down again, with every name that excludes them.
  UPDATE people SET name = 'erased', email = NULL, groups = '{}', identifiers = ARRAY(SELECT i FROM unnest(identifiers) i WHERE i = lower(of_subject))
   WHERE issuer = of_issuer AND subject = of_subject;
  INSERT INTO erasures (reason, events, approvals, votes) VALUES (why, in_log, of_approvals, of_votes) RETURNING * INTO done;
  RETURN done;
END $$;

-- As before; and it ends now, whatever time somebody would rather have it ended at.
CREATE OR REPLACE FUNCTION sallyport.legal_hold_ends_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  expected sallyport.legal_holds := OLD;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    expected.released_by_issuer := NEW.released_by_issuer;
    expected.released_by_subject := NEW.released_by_subject;
    expected.released_at := NEW.released_at;
    IF OLD.released_at IS NULL AND NEW = expected THEN
      NEW.released_at := clock_timestamp();
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'a legal hold is released once, and stays on record' USING ERRCODE = 'SP004';
END $$;

-- Nobody who has the gateway's access to the database, and not the gateway, ends a hold unseen.
CREATE FUNCTION sallyport.legal_hold_ends_on_record() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM sallyport.audit_events
                  WHERE type = 'audit.legal_hold_released' AND position(convert_to(NEW.id::text, 'UTF8') IN personal) > 0) THEN
    RAISE EXCEPTION 'the audit log does not say that legal hold % is released', NEW.id USING ERRCODE = 'SP004';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER legal_hold_ends_on_record AFTER UPDATE ON sallyport.legal_holds DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sallyport.legal_hold_ends_on_record();
ALTER TABLE sallyport.legal_holds ENABLE ALWAYS TRIGGER legal_hold_ends_on_record;

-- Months of events that have no partition of their own: the clock had jumped, or nobody was there to make it in time.
CREATE FUNCTION sallyport.audit_months_left_over() RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
  WITH RECURSIVE found (month) AS (
    (SELECT date_trunc('month', time)::date FROM sallyport.audit_events_left_over
      WHERE type <> 'audit.retained' ORDER BY id LIMIT 1)
    UNION ALL
    SELECT next.month FROM found CROSS JOIN LATERAL (
      SELECT date_trunc('month', time)::date AS month FROM sallyport.audit_events_left_over
       WHERE type <> 'audit.retained' AND id >= sallyport.audit_first_id(found.month::timestamptz + interval '1 month')
       ORDER BY id LIMIT 1) next)
  SELECT month FROM found
$$;
GRANT SELECT ON sallyport.audit_events_left_over TO sallyport_gateway;

-- As before, and for months that are left over, which get a table of their own as they leave; and words leave with their events.
CREATE OR REPLACE FUNCTION sallyport.drop_month(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
DECLARE
  name text := to_char(month, '"audit_events_"YYYY_MM');
  partition regclass := to_regclass('sallyport.' || name);
  begins uuid := sallyport.audit_first_id(month::timestamptz);
  ends uuid := sallyport.audit_first_id(month::timestamptz + interval '1 month');
  left_over boolean := false;
  recorded bigint;
  here bigint;
  held uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(7311148);
  IF partition IS NULL THEN
    left_over := EXISTS (SELECT FROM sallyport.audit_events_left_over WHERE id >= begins AND id < ends AND type <> 'audit.retained');
    IF NOT left_over THEN
      RETURN 'gone';
    END IF;
    partition := 'sallyport.audit_events_left_over';
  END IF;
  SELECT (convert_from(e.body, 'UTF8')::jsonb -> 'retention' ->> 'events')::bigint INTO recorded
    FROM sallyport.audit_log e
   CROSS JOIN LATERAL (SELECT start, first, count FROM sallyport.audit_tree_stretches s
                        WHERE s.replica = e.replica AND s.epoch = e.epoch AND s.first <= e.n
                        ORDER BY s.first DESC LIMIT 1) s
   WHERE e.type = 'audit.retained'
     AND convert_from(e.body, 'UTF8')::jsonb -> 'retention' ->> 'month' = to_char(month, 'YYYY-MM')
     AND e.n < s.first + s.count
     AND s.start + e.n - s.first < (SELECT max(size) FROM sallyport.audit_checkpoints)
   ORDER BY e.id DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no signed record says that % is kept elsewhere', to_char(month, 'YYYY-MM') USING ERRCODE = 'SP007';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = partition) THEN
    -- Whoever takes words in has read events of it, perhaps, and is waited for.
    PERFORM FROM sallyport.audit_words_progress FOR UPDATE;
    DELETE FROM sallyport.audit_words w
     WHERE w.lo >= begins AND w.hi < ends
       AND NOT EXISTS (SELECT FROM sallyport.audit_events e WHERE e.id >= w.lo AND e.id <= w.hi);
    UPDATE sallyport.audit_words w SET words = NULL WHERE w.lo < ends AND w.hi >= begins;
    EXECUTE format('DROP TABLE sallyport.%I', name);
    RETURN 'dropped';
  END IF;

  PERFORM sallyport.settle_legal_holds();
  SELECT * INTO held FROM sallyport.legal_holds_over_month(month) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'legal hold % covers %', held, to_char(month, 'YYYY-MM') USING ERRCODE = 'SP006';
  END IF;
  -- Nothing else comes into this month meanwhile; the others go on.
  EXECUTE format('LOCK TABLE %s IN SHARE MODE', partition);
  EXECUTE format('SELECT count(*) FROM %s WHERE id >= $1 AND id < $2 AND type <> ''audit.retained''', partition) INTO here USING begins, ends;
  IF here <> recorded THEN
    RAISE EXCEPTION '% has % events, and % are on record', to_char(month, 'YYYY-MM'), here, recorded USING ERRCODE = 'SP007';
  END IF;
  -- Not CONCURRENTLY, which PostgreSQL refuses where there is a partition for all other rows. It reads no row: the log waits for a catalogue entry.
  EXECUTE format('ALTER TABLE sallyport.audit_events DETACH PARTITION %s', partition);
  IF left_over THEN
    EXECUTE format('ALTER TABLE sallyport.audit_events_left_over RENAME TO %I', name);
    CREATE TABLE sallyport.audit_events_left_over PARTITION OF sallyport.audit_events DEFAULT;
    PERFORM sallyport.audit_protect('sallyport.audit_events_left_over', 'audit_is_erased_only');
    GRANT SELECT ON sallyport.audit_events_left_over TO sallyport_gateway;
  END IF;
  -- Records of earlier months stay in the log, and other months that were left over: the records are what explains that those months are not there.
  EXECUTE format('INSERT INTO sallyport.audit_events SELECT * FROM sallyport.%I WHERE id < $1 OR id >= $2 OR type = ''audit.retained''', name) USING begins, ends;
  RETURN 'detached';
END $$;

REVOKE ALL ON FUNCTION sallyport.usage_forget(text, text), sallyport.audit_words_forget(text[]) FROM PUBLIC;
