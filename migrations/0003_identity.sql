-- Who people are, how long they stay logged in, and the keys of agents.

-- Everybody who has proven to the control plane who they are.
CREATE TABLE sallyport.people (
  issuer text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  email text,
  -- As of `seen_at`: what their identity provider said the last time that they came.
  groups text[] NOT NULL,
  -- Every name that they ever had: it only ever grows, because it only ever excludes.
  identifiers text[] NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (issuer, subject)
);

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
