-- An identity provider may give one person several identities: another `sub` in the tokens of another client. Identities that share a name (e-mail
-- address, user name, directory id) are taken for one person, here as in the code. That can cost a vote, and never adds one.

-- Folded as src/core/person.ts does it, and so comparable as they are.
UPDATE sallyport.people SET identifiers = ARRAY(SELECT DISTINCT lower(normalize(n, NFKC)) FROM unnest(identifiers || subject) AS n ORDER BY 1);

CREATE INDEX people_by_identifier ON sallyport.people USING gin (identifiers);

-- Everybody who is known as the person behind an identity.
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

CREATE OR REPLACE FUNCTION sallyport.is_excluded(from_approval uuid, of_issuer text, of_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = sallyport, pg_catalog AS $$
  SELECT EXISTS (
    SELECT FROM approval_exclusions e, same_person(of_issuer, of_subject) i
     WHERE e.approval = from_approval AND (
       (e.kind = 'party' AND (e.name = lower(i.subject) OR e.name = ANY (i.identifiers)))
       OR (e.kind = 'group' AND e.name = ANY (i.groups))
     )
  )
$$;
