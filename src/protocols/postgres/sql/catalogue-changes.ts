import { emptyPath } from './catalogue-queries.ts'
import type { Probe } from './statement.ts'

/**
 * The catalogues that decide what names mean, each with the column that says which object a row is
 * about.
 */
const watched = {
  pg_class: 'oid',
  pg_attribute: 'attrelid',
  pg_attrdef: 'adrelid',
  pg_rewrite: 'ev_class',
  pg_trigger: 'tgrelid',
  pg_policy: 'polrelid',
  pg_inherits: 'inhrelid',
  pg_constraint: 'contypid',
  pg_namespace: 'oid',
  pg_proc: 'oid',
  pg_operator: 'oid',
  pg_type: 'oid',
  pg_cast: 'oid',
  pg_opclass: 'oid',
  // Memberships decide which schemas a role may use, and so which are in its path.
  pg_auth_members: 'member',
} as const

/**
 * Members of extensions. The condition lets the server use an index, since pg_depend has many other
 * rows.
 */
const ofExtensions = `pg_catalog.pg_depend
  WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e'`

export type Watched = keyof typeof watched | 'members'

/** The point in the server's history at which the catalogue was read. */
export interface Mark {
  /**
   * Identifies the server's start, its last crash, and the database. After a change here, nothing
   * can be compared.
   */
  readonly server: string
  /**
   * Which transactions had ended (`pg_current_snapshot`); `null` on a standby, where that does not
   * tell.
   */
  readonly snapshot: string | null
  /** The oldest transaction that had not ended. All rows that earlier ones wrote have been read. */
  readonly oldest: bigint
  /** How many rows earlier transactions had left. Their number can only fall. */
  readonly settled: ReadonlyMap<Watched, number>
  /** OIDs of what the other rows were about, whose disappearance no count reveals. */
  readonly unsettled: ReadonlyMap<Watched, readonly number[]>
}

/** What has changed since a mark. */
export interface Changes {
  /**
   * OIDs of objects with rows that were written or may have gone, either since the mark or by
   * transactions that had not ended then.
   */
  readonly fresh: ReadonlyMap<Watched, ReadonlySet<number>>
  /** Of these, the objects that may have been there before without being counted. */
  readonly unsettled: ReadonlyMap<Watched, readonly number[]>
  /** How many counted rows of a catalogue are gone, or were replaced by fresh ones. */
  readonly lost: ReadonlyMap<Watched, number>
}

export interface Look {
  readonly mark: Mark
  /** `null` where the two points cannot be compared. */
  readonly changes: Changes | null
}

/**
 * How far apart two transaction ids may be for a safe comparison: half of the range in which the
 * server can order them (PostgreSQL documentation, "Preventing Transaction ID Wraparound
 * Failures").
 */
const furthest = 1n << 30n

/**
 * When the server last recovered from a crash, a restore or a promotion. It loses its statistics
 * then, and tells since when it has collected them (PostgreSQL documentation, "The Cumulative
 * Statistics System"). The postmaster's start time does not tell, since it survives a crash. A
 * reset of the statistics also changes this, which only costs a reading.
 */
export const sinceCrash = 'pg_catalog.pg_stat_get_bgwriter_stat_reset_time()'

// Every name is qualified, because the connection may have any search path.
const position = `
  SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), ${sinceCrash}, d.oid) AS server,
         pg_catalog.pg_current_snapshot()::pg_catalog.text AS snapshot,
         pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text AS oldest,
         pg_catalog.pg_is_in_recovery()::pg_catalog.text AS standby
    FROM pg_catalog.pg_database d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()`

async function positionNow(probe: Probe): Promise<Pick<Mark, 'server' | 'snapshot' | 'oldest'>> {
  const [row] = await probe.query(position, [])
  return {
    server: row!['server']!,
    // On a standby, snapshots do not list the transactions that are under way.
    snapshot: row!['standby'] === 'true' ? null : row!['snapshot']!,
    oldest: BigInt(row!['oldest']!),
  }
}

/** Whether no transaction has ended since a mark. Asks for a single row. */
export async function standsStill(known: Mark, probe: Probe): Promise<boolean> {
  const { server, snapshot } = await positionNow(probe)
  return server === known.server && snapshot !== null && snapshot === known.snapshot
}

/**
 * Finds out, in one pass over the catalogues, what has changed since a mark. To be called in a
 * transaction that has one snapshot for all its queries; the new mark stands for that snapshot.
 */
export async function changesSince(known: Mark | null, probe: Probe): Promise<Look> {
  const [{ server, snapshot, oldest }] = await Promise.all([
    positionNow(probe),
    probe.query(emptyPath, []),
  ])
  const comparable =
    known?.server === server && oldest >= known.oldest && oldest - known.oldest < furthest
  const rows = await probe.query(since(comparable ? known.oldest : oldest, oldest), [])
  const settled = new Map<Watched, number>()
  const unsettled = new Map<Watched, readonly number[]>()
  const fresh = new Map<Watched, ReadonlySet<number>>()
  const lost = new Map<Watched, number>()
  for (const { catalogue: name, total, written } of rows) {
    const catalogue = name as Watched
    // Each OID comes with whether the transaction that wrote the row is `oldest` or later.
    const after = JSON.parse(written ?? '[]') as (readonly [number, boolean])[]
    const late = after.filter(([, isLate]) => isLate).map(([about]) => about)
    settled.set(catalogue, Number(total) - late.length)
    unsettled.set(catalogue, late)
    const about = [...after.map(([one]) => one), ...(known?.unsettled.get(catalogue) ?? [])]
    if (about.length > 0) fresh.set(catalogue, new Set(about))
    const gone = (known?.settled.get(catalogue) ?? 0) - (Number(total) - after.length)
    if (gone !== 0) lost.set(catalogue, gone)
  }
  const mark = { server, snapshot, oldest, settled, unsettled }
  return { mark, changes: comparable ? { fresh, unsettled: known.unsettled, lost } : null }
}

/**
 * The query for how many rows each catalogue has, and for the objects with rows written by `from`
 * or later. `age` copes with frozen rows.
 */
function since(from: bigint, oldest: bigint): string {
  const age = (xid: bigint): string => `(SELECT pg_catalog.age('${xid}'::xid8::xid))`
  const one = (name: string, about: string, rows: string): string => `
  SELECT '${name}' AS catalogue, count(*)::text AS total,
         (json_agg(json_build_array(${about}::bigint, age(xmin) <= ${age(oldest)}))
            FILTER (WHERE age(xmin) <= ${age(from)}))::text AS written
    FROM ${rows}`
  return [
    ...Object.entries(watched).map(([name, about]) => one(name, about, `pg_catalog.${name}`)),
    one('members', 'objid', ofExtensions),
  ].join(' UNION ALL ')
}
