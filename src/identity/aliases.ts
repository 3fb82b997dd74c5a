import type { Party } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'

/**
 * Links two identities of one person. From now on they have one vote together, and each is excluded
 * where the other is. Both must have logged in before. To be called in a transaction.
 */
export async function linkIdentities(tx: Queryable, a: Party, b: Party): Promise<void> {
  // One at a time: two links at once could form a chain, but all identities have to point at the
  // canonical one.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    'sallyport.person_aliases',
  ])
  await tx.query(
    `WITH canonical AS (
       SELECT coalesce(l.canonical_issuer, p.issuer) AS issuer, coalesce(l.canonical_subject, p.subject) AS subject,
              p.issuer = $1 AND p.subject = $2 AS first
         FROM sallyport.people p LEFT JOIN sallyport.person_aliases l USING (issuer, subject)
        WHERE (p.issuer, p.subject) IN (($1, $2), ($3, $4))),
     kept AS (SELECT issuer, subject FROM canonical WHERE first),
     joined AS (SELECT issuer, subject FROM canonical WHERE NOT first AND (issuer, subject) NOT IN (SELECT * FROM kept)),
     moved AS (
       UPDATE sallyport.person_aliases a SET canonical_issuer = kept.issuer, canonical_subject = kept.subject
         FROM kept, joined WHERE (a.canonical_issuer, a.canonical_subject) = (joined.issuer, joined.subject))
     INSERT INTO sallyport.person_aliases (issuer, subject, canonical_issuer, canonical_subject)
     SELECT joined.issuer, joined.subject, kept.issuer, kept.subject FROM joined, kept`,
    [a.issuer, a.subject, b.issuer, b.subject],
  )
  await shareNames(tx, a)
}

/**
 * Gives all identities of a person all their names, because exclusion goes by names, here and in
 * the database.
 */
async function shareNames(tx: Queryable, { issuer, subject }: Party): Promise<void> {
  await tx.query(
    `WITH same AS (
       SELECT issuer, subject, identifiers FROM sallyport.people
        WHERE sallyport.canonical_person(issuer, subject) = sallyport.canonical_person($1, $2)),
     names AS (SELECT array_agg(DISTINCT name ORDER BY name) AS all_names
                 FROM (SELECT unnest(identifiers) AS name FROM same) AS each)
     UPDATE sallyport.people p SET identifiers = names.all_names
       FROM same, names WHERE (p.issuer, p.subject) = (same.issuer, same.subject)`,
    [issuer, subject],
  )
}
