import type { Queryable } from '../store/db.ts'
import type { Approval } from './approval.ts'

/**
 * The state of an approval, for those who wait for it. Thousands can wait at once, so it has
 * neither the action nor its payload, which each would keep in memory once more.
 */
export type Standing = Pick<
  Approval,
  'id' | 'state' | 'decision' | 'expiresAt' | 'resolution' | 'outcome'
>

export function standingOf(approval: Approval): Standing {
  const { id, state, decision, expiresAt, resolution, outcome } = approval
  return { id, state, decision, expiresAt, resolution, outcome }
}

const columns = `a.id, a.state, a.decision, a.expires_at AS "expiresAt", a.resolution, a.outcome`

/** In the order of the ids; `null` for an approval that does not exist. */
export async function findStandings(
  db: Queryable,
  ids: readonly string[],
): Promise<(Standing | null)[]> {
  const rows = await db.query<Standing>(
    `SELECT ${columns} FROM sallyport.approvals a WHERE a.id = ANY ($1::uuid[])`,
    [ids],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

/**
 * What makes two requests the same, and the generation of the policies under which this one is
 * looked for.
 */
export interface Wanted {
  readonly subjectKey: string
  readonly resource: string
  readonly digest: string
  readonly binding: string
  readonly generation: number
}

export interface Found {
  /** The approval that is open for the same request. */
  readonly open: Standing | null
  /** Whether the subject has grants here that may cover it. */
  readonly granted: boolean
}

type FoundRow = Standing & { readonly granted: boolean; readonly there: boolean }

/**
 * In the order of `wanted`. Rejects with an error for which `isSuperseded` is true when the
 * policies in force are not those of its generation.
 */
export async function findOpenStandings(
  db: Queryable,
  wanted: readonly Wanted[],
): Promise<Found[]> {
  const rows = await db.query<FoundRow>(
    `SELECT ${columns}, a.id IS NOT NULL AS there,
            EXISTS (SELECT FROM sallyport.grants g
                     WHERE (g.subject_key, g.resource, g.binding) = (w.subject_key, w.resource, w.binding)
                       AND g.expires_at > clock_timestamp()) AS granted
       FROM sallyport.pin_generation($1::bigint),
            unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
              AS w (subject_key, resource, digest, binding, place)
       LEFT JOIN sallyport.approvals a
              ON (a.subject_key, a.resource, a.digest) = (w.subject_key, w.resource, w.digest)
             AND a.state IN ('pending', 'approved') AND a.expires_at > clock_timestamp()
      ORDER BY place`,
    [
      // Where two generations meet, the policies have just changed, and all of it is looked at
      // anew.
      Math.min(...wanted.map(({ generation }) => generation)),
      wanted.map(({ subjectKey }) => subjectKey),
      wanted.map(({ resource }) => resource),
      wanted.map(({ digest }) => digest),
      wanted.map(({ binding }) => binding),
    ],
  )
  return rows.map(({ granted, there, ...open }) => ({ open: there ? open : null, granted }))
}
