-- Searching the log by words. An index over each event would cost the hot path more than the event, and a common word would have millions of entries; so the words are kept for
-- chunks of consecutive events, behind the log, and the events of a chunk that has all words are looked at one by one.

-- Not a record: all of it follows from the log, and can be built again.
CREATE TABLE sallyport.audit_words (
  -- Places in the transparency log: from `first` up to `until`.
  first bigint PRIMARY KEY CHECK (first >= 0),
  until bigint NOT NULL CHECK (until > first),
  -- The least and the greatest id of its events. Chunks can overlap in these.
  lo uuid NOT NULL,
  hi uuid NOT NULL,
  -- The positions of a word are the places of its events in the chunk, from 1. NULL: to be built again, and meanwhile looked through.
  words tsvector
);
-- By words and by nothing else: an index in the order of time would tempt the planner to unpack all words of all chunks.
CREATE INDEX audit_words_by_word ON sallyport.audit_words USING gin (words);
CREATE INDEX audit_words_to_build ON sallyport.audit_words (first) WHERE words IS NULL;

-- How far the words are built. Whoever locks the row has the turn.
CREATE TABLE sallyport.audit_words_progress (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  next bigint NOT NULL DEFAULT 0
);
INSERT INTO sallyport.audit_words_progress DEFAULT VALUES;

-- What is erased from events goes from their chunks, whoever erases it. As the owner of the tables: who erases may do nothing else.
CREATE FUNCTION sallyport.audit_words_are_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  -- Words that are being built now may be those of before: they are waited for, and erased as well.
  PERFORM FROM audit_words_progress FOR UPDATE;
  UPDATE audit_words w SET words = NULL
    FROM (SELECT DISTINCT left(subject, 200) AS subject FROM erased WHERE subject IS NOT NULL) e
   WHERE w.words @@ ('''subject=' || replace(replace(e.subject, '\', '\\'), '''', '''''') || '''')::tsquery;
  RETURN NULL;
END $$;
CREATE TRIGGER words_are_erased AFTER UPDATE ON sallyport.audit_events
  REFERENCING OLD TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION sallyport.audit_words_are_erased();
ALTER TABLE sallyport.audit_events ENABLE ALWAYS TRIGGER words_are_erased;

-- Searches that a person wants to keep.
CREATE TABLE sallyport.saved_searches (
  issuer text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  -- Parameters of GET /api/audit/events.
  query jsonb NOT NULL,
  saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject, name)
);

GRANT SELECT, INSERT, DELETE, UPDATE (until, lo, hi, words) ON sallyport.audit_words TO sallyport_gateway;
GRANT SELECT, UPDATE (next) ON sallyport.audit_words_progress TO sallyport_gateway;
GRANT SELECT, INSERT, DELETE, UPDATE (query, saved_at) ON sallyport.saved_searches TO sallyport_gateway;
