-- Who people are, how long they stay logged in, and the keys of agents.

-- Everybody who has proven to the control plane who they are.
CREATE TABLE sallyport.people (
  issuer text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  email text,
  -- As of `groups_at`, when the newest token or login was made that they came with: an older one does not replace them.
  groups text[] NOT NULL,
  groups_at timestamptz NOT NULL DEFAULT 'epoch',
  -- Every name that they ever had, folded as src/core/person.ts does it: it only ever grows, because it only ever excludes.
  identifiers text[] NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX people_by_identifier ON sallyport.people USING gin (identifiers);

-- Two identities that are one person. The one on the right has no row of its own here.
CREATE TABLE sallyport.person_aliases (
  issuer text NOT NULL,
  subject text NOT NULL,
  canonical_issuer text NOT NULL,
  canonical_subject text NOT NULL,
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject),
  FOREIGN KEY (issuer, subject) REFERENCES sallyport.people (issuer, subject),
  FOREIGN KEY (canonical_issuer, canonical_subject) REFERENCES sallyport.people (issuer, subject),
  CHECK ((issuer, subject) <> (canonical_issuer, canonical_subject))
);
CREATE INDEX person_aliases_of ON sallyport.person_aliases (canonical_issuer, canonical_subject);

-- The person behind an identity, as one string: two identities of one person give the same.
CREATE FUNCTION sallyport.canonical_person(of_issuer text, of_subject text) RETURNS text
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  SELECT coalesce(
    (SELECT canonical_issuer || ' ' || canonical_subject
       FROM person_aliases WHERE issuer = of_issuer AND subject = of_subject),
    of_issuer || ' ' || of_subject)
$$;

-- An identity provider may give one person several identities: another `sub` in the tokens of another client. Identities that share a name (e-mail
-- address, user name, directory id) are taken for one person, here as in the code. That can cost a vote, and never adds one.
CREATE FUNCTION sallyport.same_person(of_issuer text, of_subject text) RETURNS SETOF sallyport.people
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  WITH RECURSIVE same AS (
    SELECT p.* FROM people p WHERE p.issuer = of_issuer AND p.subject = of_subject
    UNION
    SELECT known.* FROM same s CROSS JOIN LATERAL (
      SELECT p.* FROM people p WHERE p.identifiers && s.identifiers
      UNION ALL
      SELECT p.* FROM person_aliases a
        JOIN people p ON (p.issuer, p.subject) IN ((a.issuer, a.subject), (a.canonical_issuer, a.canonical_subject))
       WHERE a.canonical_issuer || ' ' || a.canonical_subject = canonical_person(s.issuer, s.subject)
    ) known
  )
  SELECT * FROM same
$$;

-- A login to the console. The cookie's value is not in here, only its hash: reading this table logs nobody in.
CREATE TABLE sallyport.sessions (
  hash bytea PRIMARY KEY,
  issuer text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  email text,
  groups text[] NOT NULL,
  identifiers text[] NOT NULL,
  -- The ID token, for logging out at the identity provider; sealed with the cookie's value.
  id_token bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expiring ON sallyport.sessions (expires_at);

-- Agent keys. 256 random bits need no slow hash: there is nothing to guess.
CREATE TABLE sallyport.agent_keys (
  id uuid PRIMARY KEY,
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  -- The subject's name, so it is never used twice, not even after the key is revoked.
  name text NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind IN ('agent', 'service')),
  groups text[] NOT NULL,
  -- What it may read at the control plane; nothing by default.
  scopes text[] NOT NULL,
  -- Who answers for it: one person, or a group.
  owner_issuer text,
  owner_subject text,
  owner_group text,
  created_by_issuer text NOT NULL,
  created_by_subject text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by_issuer text,
  revoked_by_subject text,
  -- To the minute.
  last_used_at timestamptz,
  CHECK ((owner_issuer IS NULL) = (owner_subject IS NULL)),
  CHECK ((owner_group IS NULL) <> (owner_issuer IS NULL)),
  CHECK ((revoked_at IS NULL) = (revoked_by_issuer IS NULL) AND (revoked_at IS NULL) = (revoked_by_subject IS NULL))
);

CREATE FUNCTION sallyport.agent_key_stays_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE EXCEPTION 'a revoked key stays revoked' USING ERRCODE = 'SP004';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER agent_key_stays_revoked BEFORE UPDATE ON sallyport.agent_keys
  FOR EACH ROW EXECUTE FUNCTION sallyport.agent_key_stays_revoked();

GRANT SELECT, INSERT, UPDATE ON sallyport.people, sallyport.person_aliases TO sallyport_gateway;
GRANT SELECT, INSERT, DELETE ON sallyport.sessions TO sallyport_gateway;
-- What a key is, and whose, cannot be changed afterwards: a key is revoked, and another is made.
GRANT SELECT, INSERT ON sallyport.agent_keys TO sallyport_gateway;
GRANT UPDATE (revoked_at, revoked_by_issuer, revoked_by_subject, last_used_at) ON sallyport.agent_keys TO sallyport_gateway;

-- Whose sessions an identity provider ended, or whose account it disabled. A name is any that the issuer knows them by, folded as src/core/person.ts does
-- it. Rows stay: a token can outlive whatever would be a good time to forget them.
CREATE TABLE sallyport.ended_subjects (
  issuer text NOT NULL,
  name text NOT NULL,
  -- Whatever was issued until then is worth nothing.
  ended_at timestamptz,
  -- Nothing is worth anything, whenever it was issued.
  disabled boolean NOT NULL DEFAULT false,
  -- When `disabled` was said: an older event that arrives later does not undo a newer one.
  disabled_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, name)
);
CREATE INDEX ended_subjects_changed ON sallyport.ended_subjects (changed_at);
GRANT SELECT, INSERT, UPDATE ON sallyport.ended_subjects TO sallyport_gateway;

-- Whether the account of somebody was disabled, under any identity and name that is known of them.
CREATE FUNCTION sallyport.is_disabled(of_issuer text, of_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM same_person(of_issuer, of_subject) s
      JOIN ended_subjects e ON e.issuer = s.issuer AND e.name = ANY (s.identifiers)
     WHERE e.disabled
  )
$$;

-- Ids of proofs of possession (DPoP) and of security events, by hash, until they are too old to be shown again.
CREATE TABLE sallyport.used_ids (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  until timestamptz NOT NULL
);
CREATE INDEX used_ids_over ON sallyport.used_ids (until);
GRANT SELECT, INSERT, DELETE ON sallyport.used_ids TO sallyport_gateway;
