-- How many events a month has, by the index alone, but for the few records among them: of ten million events that takes seconds, and nobody who waits for the lock has the patience for reading all of them.
CREATE OR REPLACE FUNCTION sallyport.audit_month_recorded(month date, only_signed boolean) RETURNS boolean
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
