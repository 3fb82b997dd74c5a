-- Every version of the policies that ever decided anything, word for word: an auditor can see what a decision's hash stands for.

CREATE TABLE sallyport.policy_versions (
  hash text PRIMARY KEY,
  -- The files as they were when this version was first loaded, comments and all: name and text.
  documents json NOT NULL,
  first_loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON sallyport.policy_versions TO sallyport_gateway;

-- One version of the policies is in force, for all replicas. Every time that another one comes into force is a generation.

CREATE TABLE sallyport.policy_generations (
  generation bigint PRIMARY KEY CHECK (generation > 0),
  hash text NOT NULL REFERENCES sallyport.policy_versions (hash),
  -- Whose proposal it was: a replica whose files changed, or a replica that a person asked.
  replica uuid NOT NULL,
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
  -- A person proposed it, and it is in no replica's files: files of one that starts do not replace it.
  proposed boolean NOT NULL DEFAULT false,
  activated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX policy_generations_of ON sallyport.policy_generations (hash, generation);

CREATE TABLE sallyport.policy_in_force (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- 0: none yet.
  generation bigint NOT NULL
);
INSERT INTO sallyport.policy_in_force (generation) VALUES (0);

CREATE FUNCTION sallyport.policy_generation_grows() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.generation <> OLD.generation + 1 THEN
    RAISE EXCEPTION 'a generation follows the one before it' USING ERRCODE = 'SP002';
  END IF;
  IF NOT EXISTS (SELECT FROM policy_generations WHERE generation = NEW.generation) THEN
    RAISE EXCEPTION 'nothing is in force that is not on record' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER policy_generation_grows BEFORE UPDATE ON sallyport.policy_in_force
  FOR EACH ROW EXECUTE FUNCTION sallyport.policy_generation_grows();

-- For a transaction that acts on what was decided under a generation: no other comes into force before it has ended. Refuses if another has already.
-- NULL is for what rests on no decision.
CREATE FUNCTION sallyport.pin_generation(decided_under bigint) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = sallyport, pg_catalog AS $$
DECLARE
  now_in_force bigint;
BEGIN
  SELECT generation INTO now_in_force FROM policy_in_force FOR SHARE;
  IF now_in_force IS DISTINCT FROM decided_under THEN
    RAISE EXCEPTION 'decided under generation %, and generation % is in force', decided_under, now_in_force
      USING ERRCODE = 'SP005';
  END IF;
END $$;

GRANT SELECT, INSERT ON sallyport.policy_generations TO sallyport_gateway;
GRANT SELECT, UPDATE (generation) ON sallyport.policy_in_force TO sallyport_gateway;

-- Who is who, and who may do what here, is in force for all replicas: one version of the identity section of the configuration, without its secrets. The newest counts.
CREATE TABLE sallyport.identity_generations (
  generation bigint PRIMARY KEY CHECK (generation > 0),
  hash text NOT NULL,
  document json NOT NULL,
  -- Whose configuration it comes from.
  replica uuid NOT NULL,
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
  activated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Of two replicas that put something into force at once, the key refuses the second.
CREATE FUNCTION sallyport.identity_generation_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.generation <> (SELECT coalesce(max(generation), 0) + 1 FROM identity_generations) THEN
    RAISE EXCEPTION 'a generation follows the one before it' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER identity_generation_follows BEFORE INSERT ON sallyport.identity_generations
  FOR EACH ROW EXECUTE FUNCTION sallyport.identity_generation_follows();

-- Nothing is taken back but by the owner of the tables: that is for a team that has locked itself out.
GRANT SELECT, INSERT ON sallyport.identity_generations TO sallyport_gateway;

-- Which keys of the secrets file are in use, by names that do not reveal them. A key that is in none of these rows neither signs nor opens anything, whoever wrote it into the file.
CREATE TABLE sallyport.secret_keys (
  id text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('cookies', 'sealing', 'signing')),
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
  in_use_since timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON sallyport.secret_keys TO sallyport_gateway;
