import type { Queryable } from '../../store/db.ts'

/** Where the app is installed. */
export interface Place {
  readonly kind: 'team' | 'chat' | 'person'
  /** For a team or a chat, Teams' own id; for a person, the object id in the directory. */
  readonly id: string
  /** The name of a team; empty where there is none, or none is known. */
  readonly name: string
  readonly conversation: string
  readonly serviceUrl: string
}

/** Stores a place, for all replicas. A known name stays when `place` has none. */
export async function notePlace(db: Queryable, tenant: string, place: Place): Promise<void> {
  const { kind, id, name, conversation, serviceUrl } = place
  await db.query(
    `INSERT INTO sallyport.teams_places AS p (tenant, kind, id, name, conversation, service_url)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant, kind, id) DO UPDATE
       SET name = coalesce(nullif(excluded.name, ''), p.name), conversation = excluded.conversation,
           service_url = excluded.service_url, noted_at = clock_timestamp()`,
    [tenant, kind, id, name, conversation, serviceUrl],
  )
}

export async function forgetPlace(
  db: Queryable,
  tenant: string,
  { kind, id }: Pick<Place, 'kind' | 'id'>,
): Promise<void> {
  await db.query('DELETE FROM sallyport.teams_places WHERE (tenant, kind, id) = ($1, $2, $3)', [
    tenant,
    kind,
    id,
  ])
}

export function listTeams(db: Queryable, tenant: string): Promise<Place[]> {
  return db.query<Place>(
    `SELECT kind, id, name, conversation, service_url AS "serviceUrl" FROM sallyport.teams_places
      WHERE tenant = $1 AND kind = 'team' ORDER BY id`,
    [tenant],
  )
}

export async function findPerson(db: Queryable, tenant: string, id: string): Promise<Place | null> {
  const [person] = await db.query<Place>(
    `SELECT kind, id, name, conversation, service_url AS "serviceUrl" FROM sallyport.teams_places
      WHERE (tenant, kind, id) = ($1, 'person', $2)`,
    [tenant, id],
  )
  return person ?? null
}

/** The address of the service for a conversation, as far as Teams has told it. */
export async function serviceOf(
  db: Queryable,
  tenant: string,
  conversation: string,
): Promise<string | null> {
  const [place] = await db.query<{ serviceUrl: string }>(
    `SELECT service_url AS "serviceUrl" FROM sallyport.teams_places
      WHERE tenant = $1 ORDER BY (conversation = $2) DESC, noted_at DESC LIMIT 1`,
    [tenant, conversation],
  )
  return place?.serviceUrl ?? null
}
