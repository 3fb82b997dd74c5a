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

CREATE FUNCTION sallyport.legal_hold_ends_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  expected sallyport.legal_holds := OLD;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    expected.released_by_issuer := NEW.released_by_issuer;
    expected.released_by_subject := NEW.released_by_subject;
    expected.released_at := NEW.released_at;
    IF OLD.released_at IS NULL AND NEW = expected THEN
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

-- As before, and never what a legal hold covers, also where somebody erases by hand.
CREATE OR REPLACE FUNCTION sallyport.audit_is_erased_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  held uuid;
BEGIN
  IF TG_OP = 'UPDATE' AND CURRENT_USER = 'sallyport_eraser'
     AND (NEW.issuer, NEW.subject, NEW.salt, NEW.personal) IS NOT DISTINCT FROM (NULL::text, NULL::text, NULL::bytea, NULL::bytea) THEN
    held := sallyport.legal_hold_over(OLD.issuer, OLD.subject, OLD.time, OLD.action);
    IF held IS NULL THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'legal hold % covers event %: release it first', held, OLD.id USING ERRCODE = 'SP006';
  END IF;
  RAISE EXCEPTION '% on % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'SP004';
END $$;

CREATE OR REPLACE FUNCTION sallyport.erase_person(of_issuer text, of_subject text, why text) RETURNS sallyport.erasures
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  in_log bigint;
  held uuid;
BEGIN
  PERFORM sallyport.settle_legal_holds();
  -- Whatever else it says: approvals, votes and names of a subject that is held are not in the log, and stay too.
  SELECT id INTO held FROM sallyport.legal_holds
   WHERE released_at IS NULL AND issuer = of_issuer AND subject = of_subject LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'legal hold % is on this subject: release it first', held USING ERRCODE = 'SP006';
  END IF;
  UPDATE sallyport.audit_events SET issuer = NULL, subject = NULL, salt = NULL, personal = NULL
   WHERE left(subject, 200) = left(of_subject, 200) AND subject = of_subject AND issuer = of_issuer;
  GET DIAGNOSTICS in_log = ROW_COUNT;
  RETURN sallyport.erase_beside_log(of_issuer, of_subject, why, in_log);
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
CREATE FUNCTION sallyport.drop_month(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
DECLARE
  name text := to_char(month, '"audit_events_"YYYY_MM');
  partition regclass := to_regclass('sallyport.' || name);
  recorded bigint;
  here bigint;
  held uuid;
  records sallyport.audit_events[];
BEGIN
  PERFORM pg_advisory_xact_lock(7311148);
  IF partition IS NULL THEN
    RETURN 'gone';
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
    EXECUTE format('DROP TABLE sallyport.%I', name);
    RETURN 'dropped';
  END IF;

  PERFORM sallyport.settle_legal_holds();
  SELECT * INTO held FROM sallyport.legal_holds_over_month(month) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'legal hold % covers %', held, to_char(month, 'YYYY-MM') USING ERRCODE = 'SP006';
  END IF;
  -- Nothing else comes into this month meanwhile; the others go on.
  EXECUTE format('LOCK TABLE sallyport.%I IN SHARE MODE', name);
  EXECUTE format('SELECT count(*) FROM sallyport.%I WHERE type <> ''audit.retained''', name) INTO here;
  IF here <> recorded THEN
    RAISE EXCEPTION '% has % events, and % are on record', to_char(month, 'YYYY-MM'), here, recorded USING ERRCODE = 'SP007';
  END IF;
  -- Records of earlier months stay in the log: they are what explains that those are not there.
  EXECUTE format('SELECT array_agg(e) FROM sallyport.%I e WHERE type = ''audit.retained''', name) INTO records;
  -- Not CONCURRENTLY, which PostgreSQL refuses where there is a partition for all other rows. It reads no row: the log waits for a catalogue entry.
  EXECUTE format('ALTER TABLE sallyport.audit_events DETACH PARTITION sallyport.%I', name);
  INSERT INTO sallyport.audit_events SELECT * FROM unnest(records);
  RETURN 'detached';
END $$;

REVOKE ALL ON FUNCTION sallyport.settle_legal_holds(), sallyport.drop_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sallyport.settle_legal_holds() TO sallyport_eraser;
GRANT USAGE ON SCHEMA sallyport TO sallyport_keeper;
GRANT EXECUTE ON FUNCTION sallyport.drop_month(date) TO sallyport_keeper;
