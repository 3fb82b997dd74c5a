-- What an account approved does not count once its identity provider has disabled it: here as in the code.

-- Whether the account of somebody was disabled, under any identity and name that is known of them.
CREATE FUNCTION sallyport.is_disabled(of_issuer text, of_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM same_person(of_issuer, of_subject) s
      JOIN ended_subjects e ON e.issuer = s.issuer AND e.name = ANY (s.identifiers)
     WHERE e.disabled
  )
$$;

CREATE OR REPLACE FUNCTION sallyport.has_quorum(of_approval uuid, requirements jsonb) RETURNS boolean
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
