-- Erasing what is known of a person, on record and for a reason. Hashes, links, checkpoints and proofs stay: they were made of a commitment to it.

-- Every erasure. Without who was erased: that would be kept here then. A gateway puts each into the log.
CREATE TABLE sallyport.erasures (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- As people write it: the number of the request that asked for it.
  reason text NOT NULL CHECK (length(btrim(reason)) >= 10),
  by_login text NOT NULL DEFAULT session_user,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  events bigint NOT NULL,
  approvals bigint NOT NULL,
  votes bigint NOT NULL,
  recorded_at timestamptz
);
CREATE INDEX erasures_unrecorded ON sallyport.erasures (at) WHERE recorded_at IS NULL;
GRANT SELECT, UPDATE (recorded_at) ON sallyport.erasures TO sallyport_gateway;

-- Everything but the log, and what was made of events that have left the database already, which no trigger sees. As the owner of the tables, for `erase_person` alone.
CREATE FUNCTION sallyport.erase_beside_log(of_issuer text, of_subject text, why text, in_log bigint) RETURNS sallyport.erasures
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sallyport, pg_catalog, pg_temp AS $$
DECLARE
  done sallyport.erasures;
  of_approvals bigint;
  of_votes bigint;
BEGIN
  -- Closed: what people decide about must not vanish before them, nor what runs.
  IF EXISTS (SELECT FROM approvals WHERE state IN ('pending', 'approved', 'dispatching')
               AND action -> 'subject' ->> 'issuer' = of_issuer AND action -> 'subject' ->> 'subject' = of_subject) THEN
    RAISE EXCEPTION 'an approval of this subject is open: end it first' USING ERRCODE = 'SP005';
  END IF;
  UPDATE approvals SET action = erased_action(action), payload = '{"erased":true}'
   WHERE action -> 'subject' ->> 'issuer' = of_issuer AND action -> 'subject' ->> 'subject' = of_subject
     AND payload::text <> '{"erased":true}';
  GET DIAGNOSTICS of_approvals = ROW_COUNT;
  -- Glass is never broken without a reason: that there was one stays.
  UPDATE approval_votes SET reason = CASE WHEN decision = 'break_glass' THEN 'erased on request' END
   WHERE issuer = of_issuer AND subject = of_subject AND reason IS NOT NULL;
  GET DIAGNOSTICS of_votes = ROW_COUNT;
  DELETE FROM sessions WHERE issuer = of_issuer AND subject = of_subject;
  DELETE FROM chat_links WHERE issuer = of_issuer AND subject = of_subject;
  DELETE FROM saved_searches WHERE issuer = of_issuer AND subject = of_subject;
  PERFORM usage_forget(of_issuer, of_subject);
  PERFORM audit_words_forget(ARRAY[of_subject]);
  -- The row stays, since votes refer to it. Whoever comes again is written down again, with every name that excludes them.
  UPDATE people SET name = 'erased', email = NULL, groups = '{}', identifiers = ARRAY(SELECT i FROM unnest(identifiers) i WHERE i = lower(of_subject))
   WHERE issuer = of_issuer AND subject = of_subject;
  INSERT INTO erasures (reason, events, approvals, votes) VALUES (why, in_log, of_approvals, of_votes) RETURNING * INTO done;
  RETURN done;
END $$;

-- As the role `sallyport_eraser`, which alone may erase what the log has.
CREATE FUNCTION sallyport.erase_person(of_issuer text, of_subject text, why text) RETURNS sallyport.erasures
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  in_log bigint;
  held uuid;
BEGIN
  PERFORM sallyport.settle_legal_holds();
  -- Whatever else it says: approvals, votes and names of a subject that is held are not in the log, and stay too.
  SELECT id INTO held FROM sallyport.legal_holds
   WHERE released_at IS NULL AND issuer = of_issuer AND subject = of_subject LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'legal hold % is on this subject: release it first', held USING ERRCODE = 'SP006';
  END IF;
  UPDATE sallyport.audit_events SET issuer = NULL, subject = NULL, salt = NULL, personal = NULL
   WHERE left(subject, 200) = left(of_subject, 200) AND subject = of_subject AND issuer = of_issuer;
  GET DIAGNOSTICS in_log = ROW_COUNT;
  RETURN sallyport.erase_beside_log(of_issuer, of_subject, why, in_log);
END $$;

REVOKE ALL ON FUNCTION sallyport.erase_beside_log(text, text, text, bigint), sallyport.erase_person(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sallyport.erase_beside_log(text, text, text, bigint), sallyport.erase_person(text, text, text) TO sallyport_eraser;
