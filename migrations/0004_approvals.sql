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
  outcome jsonb
);

-- One open request per subject, resource and digest: the same request sent again joins it.
CREATE UNIQUE INDEX approvals_one_open ON sallyport.approvals (subject_key, resource, digest)
  WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_same_digest ON sallyport.approvals (subject_key, resource, digest);
CREATE INDEX approvals_expiring ON sallyport.approvals (expires_at) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_dispatching ON sallyport.approvals (holder_replica, holder_epoch) WHERE state = 'dispatching';
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

CREATE FUNCTION sallyport.approval_edge() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF (NEW.id, NEW.subject_key, NEW.resource, NEW.digest, NEW.action::text, NEW.payload::text, NEW.decision, NEW.view_hash, NEW.created_at, NEW.expires_at)
     IS DISTINCT FROM
     (OLD.id, OLD.subject_key, OLD.resource, OLD.digest, OLD.action::text, OLD.payload::text, OLD.decision, OLD.view_hash, OLD.created_at, OLD.expires_at)
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
  -- Past its time nothing is approved or dispatched, whatever the caller's clock says.
  IF NEW.state IN ('approved', 'dispatching') AND OLD.expires_at <= clock_timestamp() THEN
    RAISE EXCEPTION 'this approval has expired' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_edge BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_edge();

CREATE FUNCTION sallyport.approval_starts_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'pending' OR NEW.version <> 1 OR NEW.holder_replica IS NOT NULL OR NEW.outcome IS NOT NULL THEN
    RAISE EXCEPTION 'an approval starts as pending' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER approval_starts_pending BEFORE INSERT ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_starts_pending();

-- Whether somebody is behind the action, under any of the identities and names that are known of them.
CREATE FUNCTION sallyport.is_excluded(from_approval uuid, of_issuer text, of_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  WITH identities AS (
    SELECT p.* FROM people p WHERE p.issuer = of_issuer AND p.subject = of_subject
    UNION
    SELECT p.* FROM person_aliases a
      JOIN people p ON (p.issuer, p.subject) IN ((a.issuer, a.subject), (a.canonical_issuer, a.canonical_subject))
     WHERE a.canonical_issuer || ' ' || a.canonical_subject = canonical_person(of_issuer, of_subject)
  )
  SELECT EXISTS (
    SELECT FROM approval_exclusions e, identities i
     WHERE e.approval = from_approval AND (
       (e.kind = 'party' AND (e.name = lower(i.subject) OR e.name IN (SELECT lower(n) FROM unnest(i.identifiers) AS n)))
       OR (e.kind = 'group' AND e.name = ANY (i.groups))
     )
  )
$$;

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

-- Votes and exclusions are facts: the gateway can add them, and nothing else.
GRANT SELECT, INSERT, UPDATE ON sallyport.approvals TO sallyport_gateway;
GRANT SELECT, INSERT ON sallyport.approval_exclusions, sallyport.approval_votes TO sallyport_gateway;
