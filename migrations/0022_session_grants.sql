-- An approver can grant more than one run for as long as the agent's connection lives, and on that connection alone.

-- The connection that the approval was asked for on, where its protocol has one: `id` is known to nobody else, `replica` and `epoch` are
-- the life of the gateway that holds it, `until` the end of its credential in milliseconds since the epoch, or null.
ALTER TABLE sallyport.approvals ADD COLUMN connection jsonb;
ALTER TABLE sallyport.grants ADD COLUMN connection uuid;

CREATE FUNCTION sallyport.approval_of_one_connection() RETURNS trigger LANGUAGE plpgsql SET search_path = sallyport, pg_catalog AS $$
BEGIN
  IF NEW.connection IS DISTINCT FROM OLD.connection THEN
    RAISE EXCEPTION 'the content of an approval cannot change' USING ERRCODE = 'SP002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_of_one_connection BEFORE UPDATE ON sallyport.approvals
  FOR EACH ROW EXECUTE FUNCTION sallyport.approval_of_one_connection();

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
