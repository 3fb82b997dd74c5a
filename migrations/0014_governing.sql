-- A person proposed this generation, which is in no replica's files: files of one that starts do not replace it.
ALTER TABLE sallyport.policy_generations ADD COLUMN proposed boolean NOT NULL DEFAULT false;

-- Whether as many different people have approved as its requirements ask for: together, and each of them of those whom it is for. Who fills which place is for the
-- code to find out; nothing that is refused here can meet them.
CREATE FUNCTION sallyport.has_quorum(of_approval uuid, requirements jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  WITH approvers AS (
    SELECT v.person, p.issuer, p.subject, p.groups
      FROM approval_votes v JOIN people p USING (issuer, subject)
     WHERE v.approval = of_approval AND v.decision = 'approve'
       AND NOT is_excluded(v.approval, v.issuer, v.subject)
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

CREATE OR REPLACE FUNCTION sallyport.approval_edge() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF (NEW.id, NEW.subject_key, NEW.resource, NEW.digest, NEW.binding, NEW.action::text, NEW.payload::text, NEW.decision, NEW.view_hash, NEW.ran_before, NEW.created_at, NEW.expires_at)
     IS DISTINCT FROM
     (OLD.id, OLD.subject_key, OLD.resource, OLD.digest, OLD.binding, OLD.action::text, OLD.payload::text, OLD.decision, OLD.view_hash, OLD.ran_before, OLD.created_at, OLD.expires_at)
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
  RETURN NEW;
END $$;
