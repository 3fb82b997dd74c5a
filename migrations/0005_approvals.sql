-- An approval is the durable task of one held action. Its content never changes; its state moves along the edges below, one at a time.

CREATE TABLE sallyport.approvals (
  id uuid PRIMARY KEY,
  state text NOT NULL DEFAULT 'pending',
  version integer NOT NULL DEFAULT 1,
  -- SHA-256 over the whole subject chain; with resource and digest, what "the same request" means.
  subject_key text NOT NULL,
  resource text NOT NULL,
  digest text NOT NULL,
  -- Names the upstream and the credential that the resource was bound to; part of the digest.
  binding text NOT NULL,
  -- The action with subject, attributes and summary, as it was decided, and its payload, as it is shown.
  -- `json`, not `jsonb`: it keeps what the agent sent as it was, escapes like \u0000 included.
  action json NOT NULL,
  payload json NOT NULL,
  -- The decision that asked for it: rules, reason, requirements, policy version.
  decision jsonb NOT NULL,
  view_hash text NOT NULL,
  -- How the same digest ended before, if it ever ran: an approver has to know.
  ran_before jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  resolved_at timestamptz,
  resolution jsonb,
  -- Who dispatched it: one epoch of one replica, for one attempt.
  holder_replica uuid,
  holder_epoch bigint,
  holder_action uuid,
  outcome jsonb,
  incarnation text NOT NULL DEFAULT sallyport.incarnation(),
  -- The connection that it was asked for on, where its protocol has one: `id` is known to nobody else, `replica` and `epoch` are
  -- the life of the gateway that holds it, `until` the end of its credential in milliseconds since the epoch, or null.
  connection jsonb,
  -- Stands for the definitions of what the action named when it was asked about; null where its protocol has none.
  definitions text
);

-- One open request per subject, resource and digest: the same request sent again joins it.
CREATE UNIQUE INDEX approvals_one_open ON sallyport.approvals (subject_key, resource, digest)
  WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_same_digest ON sallyport.approvals (subject_key, resource, digest);
CREATE INDEX approvals_expiring ON sallyport.approvals (expires_at) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_dispatching ON sallyport.approvals (holder_replica, holder_epoch) WHERE state = 'dispatching';
-- How often one subject has asked lately.
CREATE INDEX approvals_of_subject ON sallyport.approvals (subject_key, created_at);
CREATE INDEX approvals_by_age ON sallyport.approvals (created_at DESC, id DESC);

-- Everybody who may not vote, fixed when the approval is asked for. A name is kept in lower case.
CREATE TABLE sallyport.approval_exclusions (
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  kind text NOT NULL CHECK (kind IN ('party', 'group')),
  name text NOT NULL,
  PRIMARY KEY (approval, kind, name)
);

CREATE TABLE sallyport.approval_votes (
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  issuer text NOT NULL,
  subject text NOT NULL,
  -- The canonical person behind the identity: two identities of one person have one vote.
  person text NOT NULL,
  -- `break_glass`: released by one person alone, in an emergency.
  decision text NOT NULL CHECK (decision IN ('approve', 'deny', 'break_glass')),
  reason text,
  scope jsonb NOT NULL,
  view_hash text NOT NULL,
  channel text NOT NULL,
  voted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (approval, person, decision),
  FOREIGN KEY (issuer, subject) REFERENCES sallyport.people (issuer, subject),
  -- Never without saying why, and never for more than one run.
  CHECK (decision <> 'break_glass' OR (coalesce(length(btrim(reason)), 0) >= 10 AND scope = '"once"'))
);
-- Every person counts once; whoever has approved and waits for others in vain can still break the glass.
CREATE UNIQUE INDEX approval_votes_count_once ON sallyport.approval_votes (approval, person)
  WHERE decision <> 'break_glass';

-- Whether somebody is behind the action, under any of the identities and names that are known of them.
CREATE FUNCTION sallyport.is_excluded(from_approval uuid, of_issuer text, of_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM approval_exclusions e, same_person(of_issuer, of_subject) i
     WHERE e.approval = from_approval AND (
       (e.kind = 'party' AND (e.name = lower(i.subject) OR e.name = ANY (i.identifiers)))
       OR (e.kind = 'group' AND e.name = ANY (i.groups))
     )
  )
$$;

-- Whether as many different people have approved as its requirements ask for: together, and each of them of those whom it is for. Who fills which place is for the
-- code to find out; nothing that is refused here can meet them.
-- What an account approved does not count once its identity provider has disabled it.
CREATE FUNCTION sallyport.has_quorum(of_approval uuid, requirements jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  WITH approvers AS (
    SELECT v.person, p.issuer, p.subject, p.groups
      FROM approval_votes v JOIN people p USING (issuer, subject)
     WHERE v.approval = of_approval AND v.decision = 'approve'
       AND NOT is_excluded(v.approval, v.issuer, v.subject)
       AND NOT is_disabled(v.issuer, v.subject)
  ), asked AS (
    SELECT (r ->> 'quorum')::int AS quorum, r -> 'from' AS eligible FROM jsonb_array_elements(requirements) AS r
  )
  SELECT (SELECT count(DISTINCT person) FROM approvers) >= (SELECT coalesce(sum(quorum), 1) FROM asked)
     AND NOT EXISTS (
       SELECT FROM asked
        WHERE quorum > (
          SELECT count(DISTINCT person) FROM approvers a
           WHERE eligible ->> 'group' = ANY (a.groups)
              OR eligible -> 'people' @> jsonb_build_array(jsonb_build_object('issuer', a.issuer, 'subject', a.subject))))
$$;

CREATE FUNCTION sallyport.approval_edge() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF (NEW.id, NEW.subject_key, NEW.resource, NEW.digest, NEW.binding, NEW.action::text, NEW.payload::text, NEW.decision, NEW.view_hash,
      NEW.ran_before, NEW.created_at, NEW.expires_at, NEW.incarnation, NEW.connection, NEW.definitions)
     IS DISTINCT FROM
     (OLD.id, OLD.subject_key, OLD.resource, OLD.digest, OLD.binding, OLD.action::text, OLD.payload::text, OLD.decision, OLD.view_hash,
      OLD.ran_before, OLD.created_at, OLD.expires_at, OLD.incarnation, OLD.connection, OLD.definitions)
  THEN
    RAISE EXCEPTION 'the content of an approval cannot change' USING ERRCODE = 'SP002';
  END IF;
  IF NOT (OLD.state || ' ' || NEW.state = ANY (ARRAY[
    'pending approved', 'pending denied', 'pending expired', 'pending cancelled', 'pending invalidated',
    'approved dispatching', 'approved expired', 'approved cancelled', 'approved invalidated',
    'dispatching succeeded', 'dispatching failed', 'dispatching unknown',
    'unknown succeeded', 'unknown failed'
  ])) THEN
    RAISE EXCEPTION 'an approval cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'SP002';
  END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'an edge adds one to the version' USING ERRCODE = 'SP002';
  END IF;
  IF NEW.state = 'approved' AND (
    NOT EXISTS (SELECT FROM approval_votes WHERE approval = NEW.id AND decision IN ('approve', 'break_glass'))
    OR EXISTS (SELECT FROM approval_votes WHERE approval = NEW.id AND decision = 'deny')
  ) THEN
    RAISE EXCEPTION 'an approval needs the votes of people' USING ERRCODE = 'SP002';
  END IF;
  IF NEW.state = 'approved'
     AND NOT EXISTS (SELECT FROM approval_votes WHERE approval = NEW.id AND decision = 'break_glass')
     AND NOT has_quorum(NEW.id, coalesce(NEW.decision -> 'requirements', '[]'))
  THEN
    RAISE EXCEPTION 'not as many people have approved as have to' USING ERRCODE = 'SP002';
  END IF;
  -- Past its time nothing is approved or dispatched, whatever the caller's clock says.
  IF NEW.state IN ('approved', 'dispatching') AND OLD.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'this approval has expired' USING ERRCODE = 'SP002';
  END IF;
  IF NEW.state IN ('approved', 'dispatching') AND OLD.incarnation <> incarnation() THEN
    RAISE EXCEPTION 'this approval is from before the database was restored or promoted' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_edge BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW WHEN (NEW.payload::text = OLD.payload::text) EXECUTE FUNCTION sallyport.approval_edge();

CREATE FUNCTION sallyport.approval_starts_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'pending' OR NEW.version <> 1 OR NEW.holder_replica IS NOT NULL OR NEW.outcome IS NOT NULL THEN
    RAISE EXCEPTION 'an approval starts as pending' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_starts_pending BEFORE INSERT ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_starts_pending();

-- An action of which nothing is left but what the log says of it as well.
CREATE FUNCTION sallyport.erased_action(action json) RETURNS json LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
  SELECT json_build_object(
    'id', action -> 'id', 'name', action -> 'name', 'resource', action -> 'resource', 'effect', action -> 'effect', 'trace', action -> 'trace',
    'attributes', '{}'::json, 'summary', 'erased', 'agentReason', NULL,
    'subject', json_build_object('issuer', '', 'subject', 'erased', 'kind', action -> 'subject' -> 'kind', 'groups', '[]'::json, 'owner', NULL,
                                 'chain', '[]'::json, 'related', '[]'::json, 'claims', '{}'::json))
$$;

-- The content of an approval changes in one way only: to nothing, once it is over.
CREATE FUNCTION sallyport.approval_is_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
DECLARE
  expected sallyport.approvals := OLD;
BEGIN
  expected.action := erased_action(OLD.action);
  expected.payload := '{"erased":true}';
  -- By `erase_beside_log`, which runs as the owner of the table: the gateway may update approvals, and not this.
  IF CURRENT_USER <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
     OR OLD.state IN ('pending', 'approved', 'dispatching') OR NEW::text <> expected::text THEN
    RAISE EXCEPTION 'the content of an approval cannot change' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_is_erased BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW WHEN (NEW.payload::text <> OLD.payload::text) EXECUTE FUNCTION sallyport.approval_is_erased();

-- Nobody approves their own action: refused here too, not only in the code.
CREATE FUNCTION sallyport.approval_vote() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF is_excluded(NEW.approval, NEW.issuer, NEW.subject) THEN
    RAISE EXCEPTION 'nobody votes on their own action' USING ERRCODE = 'SP003';
  END IF;
  IF NEW.person <> canonical_person(NEW.issuer, NEW.subject) THEN
    RAISE EXCEPTION 'a vote belongs to the person behind the identity' USING ERRCODE = 'SP002';
  END IF;
  IF NOT EXISTS (
    SELECT FROM approvals WHERE id = NEW.approval AND state = 'pending' AND expires_at > clock_timestamp()
  ) THEN
    RAISE EXCEPTION 'only a pending approval takes votes' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_vote BEFORE INSERT ON sallyport.approval_votes
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_vote();

CREATE FUNCTION sallyport.vote_for_session() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.scope ? 'session'
     AND NOT EXISTS (SELECT FROM approvals WHERE id = NEW.approval AND connection IS NOT NULL)
  THEN
    RAISE EXCEPTION 'nothing that was asked for without a connection is granted for a session' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER vote_for_session BEFORE INSERT ON sallyport.approval_votes
  FOR EACH ROW EXECUTE FUNCTION sallyport.vote_for_session();

-- Votes and exclusions are facts: the gateway can add them, and nothing else.
GRANT SELECT, INSERT, UPDATE ON sallyport.approvals TO sallyport_gateway;
GRANT SELECT, INSERT ON sallyport.approval_exclusions, sallyport.approval_votes TO sallyport_gateway;

-- Attempts that wait for an approval, on any replica, where it is cancelled once nobody waits any more. A work list, not a record.
CREATE TABLE sallyport.approval_waiters (
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  -- The attempt.
  action uuid NOT NULL,
  replica uuid NOT NULL,
  epoch bigint NOT NULL,
  PRIMARY KEY (approval, action),
  FOREIGN KEY (replica, epoch) REFERENCES sallyport.replicas (replica, epoch)
);
CREATE INDEX approval_waiters_of ON sallyport.approval_waiters (replica, epoch);

GRANT SELECT, INSERT, DELETE ON sallyport.approval_waiters TO sallyport_gateway;

-- What approvers granted beyond one run: the same subject may do the same, or what the rule says is alike, until it expires.

CREATE TABLE sallyport.grants (
  id uuid PRIMARY KEY,
  approval uuid NOT NULL REFERENCES sallyport.approvals (id),
  subject_key text NOT NULL,
  resource text NOT NULL,
  -- Upstream and credential that the resource was bound to.
  binding text NOT NULL,
  -- Either exactly this digest, or every action whose attributes have these values: path → value.
  digest text,
  match json,
  -- The hold rules that were answered; an action that another rule holds too needs an approval of its own.
  rules text[] NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  incarnation text NOT NULL DEFAULT sallyport.incarnation(),
  -- For as long as this connection lives, and on it alone.
  connection uuid,
  CHECK ((digest IS NULL) <> (match IS NULL))
);

CREATE INDEX grants_of_subject ON sallyport.grants (subject_key, resource, expires_at);

CREATE FUNCTION sallyport.grant_for_session() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
DECLARE
  asked approvals%ROWTYPE;
BEGIN
  IF NEW.connection IS NULL THEN
    IF EXISTS (SELECT FROM approval_votes WHERE approval = NEW.approval AND decision = 'approve' AND scope ? 'session') THEN
      RAISE EXCEPTION 'an approver granted one session, and no more' USING ERRCODE = 'SP002';
    END IF;
    RETURN NEW;
  END IF;
  SELECT * INTO asked FROM approvals WHERE id = NEW.approval;
  IF asked.connection IS NULL
     OR (NEW.connection, NEW.subject_key, NEW.resource, NEW.binding)
        IS DISTINCT FROM ((asked.connection ->> 'id')::uuid, asked.subject_key, asked.resource, asked.binding)
  THEN
    RAISE EXCEPTION 'a session is granted to the connection that asked' USING ERRCODE = 'SP002';
  END IF;
  IF asked.state <> 'approved'
     OR EXISTS (SELECT FROM approval_votes WHERE approval = NEW.approval AND (decision <> 'approve' OR scope = '"once"'))
  THEN
    RAISE EXCEPTION 'a session is granted by all who approve it' USING ERRCODE = 'SP002';
  END IF;
  IF NEW.expires_at > least(clock_timestamp() + interval '12 hours',
                            to_timestamp((asked.connection ->> 'until')::float8 / 1000))
  THEN
    RAISE EXCEPTION 'a session is granted for twelve hours, and for the life of its credential, at most' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grant_for_session BEFORE INSERT ON sallyport.grants
  FOR EACH ROW EXECUTE FUNCTION sallyport.grant_for_session();

-- A grant cannot be changed or taken back in place: it ends, or the policies stop it at its next use.
GRANT SELECT, INSERT ON sallyport.grants TO sallyport_gateway;
