-- Searching the log by words. An index over each event would cost the hot path more than the event, so the words are kept behind the log, for segments of consecutive events: a
-- list for each word says which events have it. The lists of several words are compared, and only events that have all of them are read.

-- Consecutive events of the log: small ones as they come, and up to 32,768 once there are enough. Not a record: all of it can be built again.
CREATE TABLE sallyport.audit_words (
  -- Places in the transparency log: from `first` up to `until`.
  first bigint PRIMARY KEY CHECK (first >= 0),
  until bigint NOT NULL CHECK (until > first),
  -- The least and the greatest id of its events. Segments can overlap in these.
  lo uuid NOT NULL,
  hi uuid NOT NULL,
  -- Ids of its events in their order, 16 bytes each.
  ids bytea NOT NULL,
  -- How much it has, in bytes of the memory that building it takes. NULL: its words are gone and are to be built again, and meanwhile it is looked through.
  words bigint
);
-- Parts of it are read by where they are, which needs it uncompressed.
ALTER TABLE sallyport.audit_words ALTER COLUMN ids SET STORAGE EXTERNAL;

-- The words of a segment, in the order of their bytes, and which of its events have them: a page of them in a row, as src/audit/search/pages.ts writes it.
CREATE TABLE sallyport.audit_word_pages (
  segment bigint NOT NULL,
  -- The first one in it.
  word bytea NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (segment, word)
);
-- A search reads many of them, which are small enough to be read at once.
ALTER TABLE sallyport.audit_word_pages ALTER COLUMN word SET STORAGE PLAIN, ALTER COLUMN data SET STORAGE PLAIN;

-- Words go with their segment, and whenever it is to be built again.
CREATE FUNCTION sallyport.audit_words_go() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM sallyport.audit_word_pages WHERE segment = OLD.first;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_words_go AFTER DELETE OR UPDATE OF words ON sallyport.audit_words
  FOR EACH ROW EXECUTE FUNCTION sallyport.audit_words_go();
ALTER TABLE sallyport.audit_words ENABLE ALWAYS TRIGGER audit_words_go;

-- How far the words are built. Whoever locks the row has the turn.
CREATE TABLE sallyport.audit_words_progress (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  next bigint NOT NULL DEFAULT 0
);
INSERT INTO sallyport.audit_words_progress DEFAULT VALUES;

-- What is erased from events goes from their segments, whoever erases it: by the page in which a subject's name is, if it is there at all.
CREATE FUNCTION sallyport.audit_words_forget(subjects text[]) RETURNS void
LANGUAGE plpgsql SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  -- Words that are being built now may be those of before: they are waited for, and erased as well.
  PERFORM FROM audit_words_progress FOR UPDATE;
  UPDATE audit_words w SET words = NULL
    FROM (SELECT DISTINCT convert_to('subject=' || left(subject, 200), 'UTF8') AS word
            FROM unnest(subjects) subject WHERE subject IS NOT NULL) e
   WHERE w.words IS NOT NULL
     AND position(e.word IN (SELECT p.data FROM audit_word_pages p
                              WHERE p.segment = w.first AND p.word <= e.word ORDER BY p.word DESC LIMIT 1)) > 0;
END $$;

-- As the owner of the tables: who erases may do nothing else.
CREATE FUNCTION sallyport.audit_words_are_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM audit_words_forget(ARRAY(SELECT DISTINCT subject FROM erased));
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

GRANT SELECT, INSERT, DELETE ON sallyport.audit_words, sallyport.audit_word_pages TO sallyport_gateway;
GRANT SELECT, UPDATE (next) ON sallyport.audit_words_progress TO sallyport_gateway;
GRANT SELECT, INSERT, DELETE, UPDATE (query, saved_at) ON sallyport.saved_searches TO sallyport_gateway;
REVOKE ALL ON FUNCTION sallyport.audit_words_forget(text[]) FROM PUBLIC;
