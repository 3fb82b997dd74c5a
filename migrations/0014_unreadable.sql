-- Events of the log that cannot be read, because somebody put something else in their place. Whatever works behind the log names each of them here, once, and goes on behind it.
CREATE TABLE sallyport.unreadable_events (
  event uuid PRIMARY KEY,
  found_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX unreadable_events_newest ON sallyport.unreadable_events (found_at);
GRANT SELECT, INSERT ON sallyport.unreadable_events TO sallyport_gateway;

-- JSON as text, or NULL for what is none. For whoever has met one of them: it takes many times as long as reading.
CREATE FUNCTION sallyport.audit_readable(stored bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog AS $$
DECLARE
  said text;
BEGIN
  said := convert_from(stored, 'UTF8');
  PERFORM said::jsonb;
  RETURN said;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END $$;
