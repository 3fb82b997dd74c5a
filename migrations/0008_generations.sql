-- One version of the policies is in force, for all replicas. Every time that another one comes into force is a generation.

CREATE TABLE sallyport.policy_generations (
  generation bigint PRIMARY KEY CHECK (generation > 0),
  hash text NOT NULL REFERENCES sallyport.policy_versions (hash),
  -- Whose proposal it was: a replica whose files changed, or a replica that a person asked.
  replica uuid NOT NULL,
  -- What released it, where a rule held it.
  approval uuid REFERENCES sallyport.approvals (id),
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

-- How often one subject has asked lately.
CREATE INDEX approvals_of_subject ON sallyport.approvals (subject_key, created_at);
