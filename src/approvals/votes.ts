import type { Party } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import type { Vote, VoteDecision } from './approval.ts'
import type { Scope } from './scope.ts'

/**
 * Whether somebody is behind the action under any of their known identities, in the database's own
 * judgement.
 */
export async function isExcludedByStore(tx: Queryable, id: string, voter: Party): Promise<boolean> {
  const [row] = await tx.query<{ excluded: boolean }>(
    'SELECT sallyport.is_excluded($1, $2, $3) AS excluded',
    [id, voter.issuer, voter.subject],
  )
  return row!.excluded
}

export interface NewVote {
  readonly issuer: string
  readonly subject: string
  readonly decision: VoteDecision
  readonly reason: string | null
  readonly scope: Scope
  readonly viewHash: string
  readonly channel: string
}

/**
 * Writes a vote down. Resolves to `false` if this person has voted already. An approval is also
 * refused if they approved under another identity; a denial is not, because a name that somebody
 * has taken must not keep its owner from saying no. Whoever has approved can still break the glass.
 */
export async function insertVote(tx: Queryable, id: string, vote: NewVote): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO sallyport.approval_votes
       (approval, issuer, subject, person, decision, reason, scope, view_hash, channel)
     SELECT $1, $2, $3, sallyport.canonical_person($2, $3), $4, $5, $6::jsonb, $7, $8
      WHERE $4 <> 'approve' OR NOT EXISTS (
        SELECT FROM sallyport.approval_votes v
          JOIN sallyport.same_person($2, $3) p ON (p.issuer, p.subject) = (v.issuer, v.subject)
         WHERE v.approval = $1 AND v.decision = 'approve')
     ON CONFLICT DO NOTHING RETURNING approval`,
    [
      id,
      vote.issuer,
      vote.subject,
      vote.decision,
      vote.reason,
      JSON.stringify(vote.scope),
      vote.viewHash,
      vote.channel,
    ],
  )
  return rows.length === 1
}

export async function votesOf(db: Queryable, ids: readonly string[]): Promise<Map<string, Vote[]>> {
  const rows = await db.query<Vote & { approval: string }>(
    `SELECT v.approval, v.issuer, v.subject, p.name, v.decision, v.reason, v.scope, v.channel,
            v.voted_at AS "votedAt", p.groups,
            ARRAY(SELECT DISTINCT unnest(identifiers) FROM sallyport.same_person(v.issuer, v.subject)) AS names,
            sallyport.is_excluded(v.approval, v.issuer, v.subject)
              OR sallyport.is_disabled(v.issuer, v.subject) AS excluded
       FROM sallyport.approval_votes v
       JOIN sallyport.people p ON p.issuer = v.issuer AND p.subject = v.subject
      WHERE v.approval = ANY ($1::uuid[])
      ORDER BY v.voted_at`,
    [ids],
  )
  const votes = new Map<string, Vote[]>(ids.map((id) => [id, []]))
  for (const { approval: id, ...vote } of rows) votes.get(id)!.push(vote)
  return votes
}
