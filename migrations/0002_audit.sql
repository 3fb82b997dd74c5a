-- What happened, for good. Rows are added and never changed, but for the personal part of an event, which can be erased. `body` is what is
-- hashed; the columns beside it are copies of what it says, to search by.
--
-- The log is written on the way of every request, so an event is one row, with as few indexes as its searches need.

CREATE TABLE sallyport.audit_events (
  -- UUIDv7 of `time`: by it the log is read in order, and a row finds its month.
  id uuid PRIMARY KEY,
  time timestamptz NOT NULL,
  type text NOT NULL,
  -- The epoch that describes the event: the `source` in its body.
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  -- Its position in the chain of that epoch, if it was linked as it was written. All others are in audit_places.
  n bigint CHECK (n > 0),
  action uuid,
  resource text,
  decision text,
  reason text,
  approval uuid,
  -- RFC 8785 canonical JSON, in UTF-8.
  body bytea NOT NULL,
  -- The part that can hold personal data. The body has only SHA-256(salt || personal), so that erasing it leaves every hash verifiable.
  issuer text,
  subject text,
  salt bytea CHECK (octet_length(salt) = 16),
  personal bytea
) PARTITION BY RANGE (id);

CREATE INDEX audit_events_by_resource ON sallyport.audit_events (resource, id);
CREATE INDEX audit_events_by_action ON sallyport.audit_events (action) WHERE action IS NOT NULL;
CREATE INDEX audit_events_by_approval ON sallyport.audit_events (approval) WHERE approval IS NOT NULL;
-- Cut short, since nobody limits how long a subject's name is.
CREATE INDEX audit_events_by_subject ON sallyport.audit_events (left(subject, 200), id) WHERE subject IS NOT NULL;
-- The values that nearly every event has are found by time as fast as by an index of their own, and cost nothing that way.
CREATE INDEX audit_events_by_decision ON sallyport.audit_events (decision, id)
  WHERE decision IN ('deny', 'hold');
CREATE INDEX audit_events_by_reason ON sallyport.audit_events (reason, id)
  WHERE reason <> 'rule-allowed';
CREATE INDEX audit_events_by_type ON sallyport.audit_events (type, id)
  WHERE type NOT IN ('action.decided', 'action.completed');

-- The hash chains: one for each epoch of each replica, written in stretches of links that became durable together. No two stretches begin at one
-- place, so of two writers that continue a chain one fails.
CREATE TABLE sallyport.audit_links (
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  -- Position of the first link.
  first bigint NOT NULL CHECK (first > 0),
  -- There is no foreign key, for speed; verifying finds a link without its event.
  events uuid[] NOT NULL CHECK (cardinality(events) > 0),
  -- Leaf hashes of these events, 32 bytes each.
  leaves bytea NOT NULL CHECK (octet_length(leaves) = 32 * cardinality(events)),
  -- Hash of the link before the first; then the hashes of these links, 32 bytes each.
  prev bytea NOT NULL CHECK (octet_length(prev) = 32),
  hashes bytea NOT NULL CHECK (octet_length(hashes) = 32 * cardinality(events)),
  -- Not part of the hash: exports of a time span find their first and last link by it.
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (replica, epoch, first)
);
-- Hashes do not compress.
ALTER TABLE sallyport.audit_links ALTER COLUMN leaves SET STORAGE EXTERNAL, ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Where an event is linked that had been written before, in somebody's transaction. Once, as its key says.
CREATE TABLE sallyport.audit_places (
  event uuid PRIMARY KEY,
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  n bigint NOT NULL CHECK (n > 0)
);

-- Events that were written in somebody's transaction and are in no chain yet. A work list, not a record.
CREATE TABLE sallyport.audit_unlinked (
  event uuid PRIMARY KEY,
  replica uuid NOT NULL,
  epoch bigint NOT NULL
);

-- Every event with its place.
CREATE VIEW sallyport.audit_log AS
SELECT e.id, e.time, e.type, e.action, e.resource, e.decision, e.reason, e.approval, e.body,
       e.issuer, e.subject, e.salt, e.personal, chain.replica, chain.epoch, chain.n, link.prev, link.hash
  FROM sallyport.audit_events e
  LEFT JOIN sallyport.audit_places p ON p.event = e.id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p.n IS NOT NULL THEN p.replica WHEN e.n IS NOT NULL THEN e.replica END AS replica,
           CASE WHEN p.n IS NOT NULL THEN p.epoch WHEN e.n IS NOT NULL THEN e.epoch END AS epoch,
           coalesce(p.n, e.n) AS n) chain
  LEFT JOIN LATERAL (
    SELECT substring(l.prev || l.hashes FROM (32 * (chain.n - l.first) + 1)::int FOR 32) AS prev,
           substring(l.hashes FROM (32 * (chain.n - l.first) + 1)::int FOR 32) AS hash
      FROM sallyport.audit_links l
     WHERE l.replica = chain.replica AND l.epoch = chain.epoch AND l.first <= chain.n
     ORDER BY l.first DESC
     LIMIT 1) link ON true;

CREATE FUNCTION sallyport.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'SP004';
END $$;

CREATE FUNCTION sallyport.audit_is_erased_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  held uuid;
BEGIN
  -- The one exception: erasing the whole personal part, by the role that exists for it, which may touch no other column; and never what a legal hold covers.
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

-- ALWAYS: also in sessions that call themselves replicas, which skip ordinary triggers.
CREATE FUNCTION sallyport.audit_protect(protected regclass, by text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s
    FOR EACH ROW EXECUTE FUNCTION sallyport.%I()', protected, by);
  EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION sallyport.audit_is_append_only()', protected);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', protected);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_whole', protected);
END $$;

-- One partition for each month, so that a month can be detached and kept elsewhere.
CREATE FUNCTION sallyport.audit_first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  -- The least UUIDv7 of a time (RFC 9562 §5.7): its first 48 bits are milliseconds since the epoch.
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partitions of this month and the next two. Events of any other month are taken in by the one that is left over, so that nothing depends on this
-- having run in time. As the owner of the tables, since the gateway may not create any.
CREATE FUNCTION sallyport.audit_provide_months() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month timestamptz;
  name text;
BEGIN
  -- Replicas take turns: any number will do that never changes.
  PERFORM pg_advisory_xact_lock(7311147);
  FOR ahead IN 0..2 LOOP
    month := date_trunc('month', clock_timestamp()) + make_interval(months => ahead);
    name := to_char(month, '"audit_events_"YYYY_MM');
    CONTINUE WHEN to_regclass('sallyport.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE sallyport.%I PARTITION OF sallyport.audit_events FOR VALUES FROM (%L) TO (%L)',
        name, sallyport.audit_first_id(month), sallyport.audit_first_id(month + interval '1 month'));
      PERFORM sallyport.audit_protect(format('sallyport.%I', name)::regclass, 'audit_is_erased_only');
    EXCEPTION
      -- Some events of that month are in the one that is left over already: that is where the others go, too.
      WHEN check_violation THEN NULL;
    END;
  END LOOP;
END $$;

CREATE TABLE sallyport.audit_events_left_over PARTITION OF sallyport.audit_events DEFAULT;
SELECT sallyport.audit_protect('sallyport.audit_events_left_over', 'audit_is_erased_only');
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON sallyport.audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION sallyport.audit_is_append_only();
ALTER TABLE sallyport.audit_events ENABLE ALWAYS TRIGGER append_only_whole;
SELECT sallyport.audit_provide_months();
SELECT sallyport.audit_protect('sallyport.audit_links', 'audit_is_append_only');
SELECT sallyport.audit_protect('sallyport.audit_places', 'audit_is_append_only');

DO $$
BEGIN
  CREATE ROLE sallyport_eraser NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT SELECT, INSERT ON sallyport.audit_events, sallyport.audit_links, sallyport.audit_places TO sallyport_gateway;
GRANT SELECT ON sallyport.audit_log, sallyport.audit_events_left_over TO sallyport_gateway;
GRANT SELECT, INSERT, DELETE ON sallyport.audit_unlinked TO sallyport_gateway;
REVOKE ALL ON FUNCTION sallyport.audit_provide_months() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sallyport.audit_provide_months() TO sallyport_gateway;
GRANT USAGE ON SCHEMA sallyport TO sallyport_eraser;
GRANT SELECT (id, time, issuer, subject), UPDATE (issuer, subject, salt, personal) ON sallyport.audit_events TO sallyport_eraser;
