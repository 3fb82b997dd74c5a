-- What happened, for good. Rows are added and never changed. `body` is what is hashed; the columns beside it are copies of what it
-- says, to search by.

CREATE TABLE sallyport.audit_events (
  id uuid PRIMARY KEY,
  time timestamptz NOT NULL,
  type text NOT NULL,
  -- The epoch that describes the event: the `source` in its body.
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  action uuid,
  resource text,
  decision text,
  reason text,
  approval uuid,
  -- RFC 8785 canonical JSON, in UTF-8.
  body bytea NOT NULL
);
CREATE INDEX audit_events_by_time ON sallyport.audit_events (time, id);
CREATE INDEX audit_events_by_resource ON sallyport.audit_events (resource, time, id);
CREATE INDEX audit_events_by_action ON sallyport.audit_events (action) WHERE action IS NOT NULL;
CREATE INDEX audit_events_by_approval ON sallyport.audit_events (approval) WHERE approval IS NOT NULL;
-- The values that nearly every event has are found by time as fast as by an index of their own, and cost nothing that way.
CREATE INDEX audit_events_by_decision ON sallyport.audit_events (decision, time, id)
  WHERE decision IN ('deny', 'hold');
CREATE INDEX audit_events_by_reason ON sallyport.audit_events (reason, time, id)
  WHERE reason <> 'rule-allowed';
CREATE INDEX audit_events_by_type ON sallyport.audit_events (type, time, id)
  WHERE type NOT IN ('action.decided', 'action.completed');

-- The part of an event that can hold personal data. The body has only SHA-256(salt || this body), so a row that is erased here leaves
-- every hash verifiable.
CREATE TABLE sallyport.audit_personal (
  event uuid PRIMARY KEY,
  issuer text,
  subject text,
  salt bytea NOT NULL CHECK (octet_length(salt) = 16),
  body bytea NOT NULL
);
-- A hash index, since nobody limits how long a subject's name is.
CREATE INDEX audit_personal_by_subject ON sallyport.audit_personal USING hash (subject);

-- The hash chains: one for each epoch of each replica. There is no foreign key, for speed; verifying finds a link without its event.
CREATE TABLE sallyport.audit_links (
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  n bigint NOT NULL CHECK (n > 0),
  event uuid NOT NULL UNIQUE,
  prev bytea NOT NULL CHECK (octet_length(prev) = 32),
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  -- Not part of the hash: exports of a time span find their first and last link by it.
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (replica, epoch, n)
);

-- Events that were written in somebody's transaction and are in no chain yet. A work list, not a record.
CREATE TABLE sallyport.audit_unlinked (
  event uuid PRIMARY KEY,
  replica uuid NOT NULL,
  epoch bigint NOT NULL
);

CREATE FUNCTION sallyport.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The one exception: erasing personal data, by the role that exists for it.
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_personal' AND CURRENT_USER = 'sallyport_eraser' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% on % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'SP004';
END $$;

DO $$
DECLARE
  audited text;
BEGIN
  FOREACH audited IN ARRAY ARRAY['audit_events', 'audit_personal', 'audit_links'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON sallyport.%I
      FOR EACH ROW EXECUTE FUNCTION sallyport.audit_is_append_only()', audited);
    EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON sallyport.%I
      FOR EACH STATEMENT EXECUTE FUNCTION sallyport.audit_is_append_only()', audited);
    -- ALWAYS: also in sessions that call themselves replicas, which skip ordinary triggers.
    EXECUTE format('ALTER TABLE sallyport.%I ENABLE ALWAYS TRIGGER append_only', audited);
    EXECUTE format('ALTER TABLE sallyport.%I ENABLE ALWAYS TRIGGER append_only_whole', audited);
  END LOOP;
END $$;

DO $$
BEGIN
  CREATE ROLE sallyport_eraser NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT SELECT, INSERT ON sallyport.audit_events, sallyport.audit_personal, sallyport.audit_links TO sallyport_gateway;
GRANT SELECT, INSERT, DELETE ON sallyport.audit_unlinked TO sallyport_gateway;
GRANT USAGE ON SCHEMA sallyport TO sallyport_eraser;
GRANT SELECT (event, issuer, subject), DELETE ON sallyport.audit_personal TO sallyport_eraser;
