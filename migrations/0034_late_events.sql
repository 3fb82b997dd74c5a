-- Events that came into a month after it was put on record as kept elsewhere, or had left: a clock went back, or somebody wrote late. The record says nothing of them, so
-- they need one of their own before they leave.

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
CREATE FUNCTION sallyport.audit_month_recorded(month date, only_signed boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
  recorded bigint[] := ARRAY(
    SELECT r.events FROM sallyport.audit_month_records(month) r
     WHERE (r.signed OR NOT only_signed)
       AND (r.events = 0 OR EXISTS (SELECT FROM sallyport.audit_events e WHERE e.id = sallyport.audit_event_at(r.place))));
BEGIN
  RETURN cardinality(recorded) > 0 AND (
    SELECT count(*) FROM sallyport.audit_events
     WHERE id >= sallyport.audit_first_id(month::timestamptz) AND id < sallyport.audit_first_id(month::timestamptz + interval '1 month')
       AND type <> 'audit.retained') = ANY (recorded);
END $$;

-- As before; and only what a record says of all that is here, so that what came late is kept elsewhere too before it leaves.
CREATE OR REPLACE FUNCTION sallyport.drop_month(month date) RETURNS text
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
