-- Months of the log leave the database once they are kept elsewhere, on record; and legal holds, which keep them there. Hashes, links, checkpoints and
-- proofs stay.

-- What must not be lost: events that are all of what a hold says (NULL: any). As long as it is not released, their month stays, and nobody erases who acted in them.
CREATE TABLE sallyport.legal_holds (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  reason text NOT NULL CHECK (length(btrim(reason)) >= 10),
  from_time timestamptz,
  to_time timestamptz,
  issuer text,
  subject text,
  action uuid,
  created_by_issuer text NOT NULL,
  created_by_subject text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  released_by_issuer text,
  released_by_subject text,
  released_at timestamptz,
  CHECK (from_time < to_time),
  CHECK ((issuer IS NULL) = (subject IS NULL)),
  CHECK (num_nonnulls(from_time, to_time, subject, action) > 0)
);

-- It ends now, whatever time somebody would rather have it ended at.
CREATE FUNCTION sallyport.legal_hold_ends_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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

CREATE TRIGGER legal_hold_ends_once BEFORE UPDATE OR DELETE ON sallyport.legal_holds
  FOR EACH ROW EXECUTE FUNCTION sallyport.legal_hold_ends_once();
CREATE TRIGGER legal_hold_stays BEFORE TRUNCATE ON sallyport.legal_holds
  FOR EACH STATEMENT EXECUTE FUNCTION sallyport.audit_is_append_only();
ALTER TABLE sallyport.legal_holds ENABLE ALWAYS TRIGGER legal_hold_ends_once;
ALTER TABLE sallyport.legal_holds ENABLE ALWAYS TRIGGER legal_hold_stays;

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

GRANT SELECT, INSERT (id, reason, from_time, to_time, issuer, subject, action, created_by_issuer, created_by_subject),
      UPDATE (released_by_issuer, released_by_subject, released_at) ON sallyport.legal_holds TO sallyport_gateway;
GRANT SELECT ON sallyport.legal_holds TO sallyport_eraser;

-- Until the end of the transaction no hold begins or ends: what is taken away has been looked at together with every hold that there is.
CREATE FUNCTION sallyport.settle_legal_holds() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE sallyport.legal_holds IN SHARE MODE;
END $$;

-- A hold over one event.
CREATE FUNCTION sallyport.legal_hold_over(of_issuer text, of_subject text, at timestamptz, of_action uuid) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT id FROM sallyport.legal_holds
   WHERE released_at IS NULL
     AND (from_time IS NULL OR from_time <= at) AND (to_time IS NULL OR at < to_time)
     AND (subject IS NULL OR (issuer, subject) = (of_issuer, of_subject))
     AND (action IS NULL OR action = of_action)
   LIMIT 1
$$;

-- Every hold over anything in a month.
CREATE FUNCTION sallyport.legal_holds_over_month(month date) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
  SELECT h.id FROM sallyport.legal_holds h
   WHERE h.released_at IS NULL
     AND (h.from_time IS NULL OR h.from_time < month::timestamptz + interval '1 month')
     AND (h.to_time IS NULL OR h.to_time > month::timestamptz)
     AND (h.subject IS NULL AND h.action IS NULL OR EXISTS (
       SELECT FROM sallyport.audit_events e
        WHERE e.id >= sallyport.audit_first_id(month::timestamptz)
          AND e.id < sallyport.audit_first_id(month::timestamptz + interval '1 month')
          AND (h.from_time IS NULL OR h.from_time <= e.time) AND (h.to_time IS NULL OR e.time < h.to_time)
          AND (h.subject IS NULL OR left(e.subject, 200) = left(h.subject, 200) AND e.subject = h.subject AND e.issuer = h.issuer)
          AND (h.action IS NULL OR e.action = h.action)))
$$;

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

-- The event that has a place in the log; NULL where there is none.
CREATE FUNCTION sallyport.audit_event_at(place bigint) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT l.events[(s.n - l.first + 1)::int]
    FROM (SELECT replica, epoch, first + place - start AS n FROM sallyport.audit_tree_stretches
           WHERE start <= place ORDER BY start DESC LIMIT 1) s
   CROSS JOIN LATERAL (SELECT first, events FROM sallyport.audit_links
                        WHERE replica = s.replica AND epoch = s.epoch AND first <= s.n
                        ORDER BY first DESC LIMIT 1) l
$$;

-- What is on record about a month: how many events are kept elsewhere, the place of one of them, and whether that is in the signed log.
CREATE FUNCTION sallyport.audit_month_records(month date) RETURNS TABLE (events bigint, place bigint, signed boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT (r.retention ->> 'events')::bigint, (r.retention -> 'indexes' -> 0 ->> 'first')::bigint,
         s.start IS NOT NULL AND s.start + r.n - s.first < (SELECT max(size) FROM sallyport.audit_checkpoints)
    FROM (SELECT replica, epoch, n, convert_from(body, 'UTF8')::jsonb -> 'retention' AS retention
            FROM sallyport.audit_log WHERE type = 'audit.retained') r
    LEFT JOIN LATERAL (SELECT start, first FROM sallyport.audit_tree_stretches s
                        WHERE s.replica = r.replica AND s.epoch = r.epoch AND s.first <= r.n AND r.n < s.first + s.count
                        ORDER BY s.first DESC LIMIT 1) s ON true
   WHERE r.retention ->> 'month' = to_char(month, 'YYYY-MM')
$$;

-- Whether one record says of all that is here of a month that it is kept elsewhere. Events only come to a month, and leave it all at once: so a record of one that is
-- here is of nothing that has left, and with as many events it is of these.
-- They are counted by the index alone, but for the few records among them: of ten million events that takes seconds, and nobody who waits for the lock has the patience for reading all of them.
CREATE FUNCTION sallyport.audit_month_recorded(month date, only_signed boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
  begins uuid := sallyport.audit_first_id(month::timestamptz);
  ends uuid := sallyport.audit_first_id(month::timestamptz + interval '1 month');
  recorded bigint[] := ARRAY(
    SELECT r.events FROM sallyport.audit_month_records(month) r
     WHERE (r.signed OR NOT only_signed)
       AND (r.events = 0 OR EXISTS (SELECT FROM sallyport.audit_events e WHERE e.id = sallyport.audit_event_at(r.place))));
BEGIN
  RETURN cardinality(recorded) > 0 AND (
    (SELECT count(*) FROM sallyport.audit_events WHERE id >= begins AND id < ends)
    - (SELECT count(*) FROM sallyport.audit_events WHERE id >= begins AND id < ends AND type = 'audit.retained')) = ANY (recorded);
END $$;

DO $$
BEGIN
  CREATE ROLE sallyport_keeper NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- One step of taking a month out of the database, as the owner of the tables. 'detached': out of the log, which was locked for a moment; 'dropped': its space is
-- free; 'gone': nothing is left to do. Where the log is busy it gives up after a moment (55P03), and is called again: whoever writes waits no longer than that.
--
-- Only what is on record in the signed log (`audit.retained`), to the event: the gateway puts that there and cannot do this, and whoever can do this cannot put it there.
-- Months that are left over get a table of their own as they leave, words leave with their events, and what came late needs a record that
-- says so before it leaves.
CREATE FUNCTION sallyport.drop_month(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
DECLARE
  name text := to_char(month, '"audit_events_"YYYY_MM');
  partition regclass := to_regclass('sallyport.' || name);
  begins uuid := sallyport.audit_first_id(month::timestamptz);
  ends uuid := sallyport.audit_first_id(month::timestamptz + interval '1 month');
  left_over boolean := false;
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
  IF NOT EXISTS (SELECT FROM sallyport.audit_month_records(month) r WHERE r.signed) THEN
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
  IF NOT sallyport.audit_month_recorded(month, true) THEN
    IF sallyport.audit_month_recorded(month, false) THEN
      RAISE EXCEPTION 'no signed record says that % is kept elsewhere', to_char(month, 'YYYY-MM') USING ERRCODE = 'SP007';
    END IF;
    RAISE EXCEPTION 'events came into % that no record says are kept elsewhere', to_char(month, 'YYYY-MM')
      USING ERRCODE = 'SP008';
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

REVOKE ALL ON FUNCTION sallyport.settle_legal_holds(), sallyport.drop_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sallyport.settle_legal_holds() TO sallyport_eraser;
GRANT USAGE ON SCHEMA sallyport TO sallyport_keeper;
GRANT EXECUTE ON FUNCTION sallyport.drop_month(date) TO sallyport_keeper;
