import { emptyPath } from './catalogue-queries.ts'
import type { Probe } from './statement.ts'

/** Catalogues that decide what names mean, each with the OID of what its rows are about. */
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
  // Whoever may not use a schema has it not in the path.
  pg_auth_members: 'member',
} as const

/** Members of extensions: found by an index, since there are many other dependencies. */
const ofExtensions = `pg_catalog.pg_depend
  WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e'`

export type Watched = keyof typeof watched | 'members'

/** Where a reading of the catalogue stands in the server's history. */
export interface Mark {
  /**
   * Which server, since when it runs, since which crash, and which database: another one has a
   * history of its own.
   */
  readonly server: string
  /**
   * Which transactions it has seen the end of (`pg_current_snapshot`); `null` where that does not
   * tell, on a standby.
   */
  readonly snapshot: string | null
  /** The oldest transaction that had not ended. All rows of earlier ones have been read. */
  readonly oldest: bigint
  /** How many rows of earlier ones there were. They can only become fewer. */
  readonly settled: ReadonlyMap<Watched, number>
  /** OIDs of what the other rows were about: that these go, no count tells. */
  readonly unsettled: ReadonlyMap<Watched, readonly number[]>
}

/** What is not as it was. */
export interface Changes {
  /**
   * OIDs of what rows are about that were written, or may have gone, since or by transactions that
   * had not ended.
   */
  readonly fresh: ReadonlyMap<Watched, ReadonlySet<number>>
  /** Of these, the ones that may have been there before without having been counted. */
  readonly unsettled: ReadonlyMap<Watched, readonly number[]>
  /** How many rows of a catalogue are gone, or were replaced by one of those. */
  readonly lost: ReadonlyMap<Watched, number>
}

export interface Look {
  readonly mark: Mark
  /** `null`: nothing is certain. */
  readonly changes: Changes | null
}

/**
 * How far apart two transactions may be: half of what their numbers can tell (PostgreSQL
 * documentation, "Preventing Transaction ID Wraparound Failures").
 */
const furthest = 1n << 30n

/**
 * When the server recovered last from a crash, a restore or a promotion: it loses its statistics
 * then, and says since when it has them (PostgreSQL documentation, "The Cumulative Statistics
 * System"). The postmaster itself may have gone on meanwhile. Somebody who resets them makes it
 * later, which is as good.
 */
export const sinceCrash = 'pg_catalog.pg_stat_get_bgwriter_stat_reset_time()'

// Asked under whatever search path the connection has: every name is qualified.
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
    // A standby does not list in its snapshots which transactions are under way.
    snapshot: row!['standby'] === 'true' ? null : row!['snapshot']!,
    oldest: BigInt(row!['oldest']!),
  }
}

/** Whether no transaction has ended since a mark: one row, and nothing else is asked for. */
export async function standsStill(known: Mark, probe: Probe): Promise<boolean> {
  const { server, snapshot } = await positionNow(probe)
  return server === known.server && snapshot !== null && snapshot === known.snapshot
}

/**
 * What has changed in the catalogues since a mark: one pass over them. To be asked in a transaction
 * with one snapshot for all questions, which is what the new mark stands for.
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
    // Each with whether its transaction came at `oldest` or later.
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
 * How many rows each catalogue has, and what those are about that were written by `from` or later.
 * `age` knows of rows that are frozen.
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
