import { foldName } from '../core/person.ts'
import type { Queryable } from '../store/db.ts'

/** What an identity provider has said about somebody. */
export interface Ending {
  /** Issuers that know them by this name. */
  readonly issuers: readonly string[]
  readonly name: string
  /** When it happened, by the provider's clock. */
  readonly at: Date
  /**
   * `sessions`: everything issued until then ends. `disabled`: everything ends, until the account
   * is `enabled` again.
   */
  readonly what: 'sessions' | 'disabled' | 'enabled'
}

/**
 * Records an ending for each name of this person. The later event counts, in whatever order they
 * arrive. Enabling an account does not bring back sessions that had ended.
 */
export async function endSubject(
  tx: Queryable,
  { issuers, name, at, what }: Ending,
): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.ended_subjects AS known (issuer, name, ended_at, disabled, disabled_at)
     SELECT issuer, name, CASE WHEN $4::text <> 'enabled' THEN moment END, $4 = 'disabled',
            CASE WHEN $4 <> 'sessions' THEN moment END
       FROM (SELECT unnest($1::text[]) AS issuer, $2::text AS name
             UNION
             SELECT p.issuer, unnest(p.identifiers) FROM sallyport.people p
              WHERE p.issuer = ANY ($1) AND p.identifiers @> ARRAY[$2]) AS names,
            -- A clock that is ahead must not end what is issued from now on.
            (SELECT least($3::timestamptz, clock_timestamp()) AS moment) AS event
     ON CONFLICT (issuer, name) DO UPDATE SET
       ended_at = greatest(known.ended_at, excluded.ended_at),
       disabled = CASE WHEN excluded.disabled_at >= coalesce(known.disabled_at, excluded.disabled_at)
                       THEN excluded.disabled ELSE known.disabled END,
       disabled_at = greatest(known.disabled_at, excluded.disabled_at),
       changed_at = clock_timestamp()`,
    [issuers, foldName(name), at, what],
  )
}
