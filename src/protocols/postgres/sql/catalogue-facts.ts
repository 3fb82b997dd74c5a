import { isDeepStrictEqual } from 'node:util'
import type { Changes, Watched } from './catalogue-changes.ts'
import * as queries from './catalogue-queries.ts'
import { isHarmless } from './harmless-functions.ts'
import { qualified } from './names.ts'
import type { Probe } from './statement.ts'

type Row = Awaited<ReturnType<Probe['query']>>[number]

export interface RelationFacts {
  readonly schema: string
  readonly name: string
  /** `relkind` of `pg_class`. */
  readonly kind: string
  readonly columns: readonly string[]
  /** Pairs of a generated column and a column that it is computed from. */
  readonly generated: readonly (readonly [string, string])[]
  readonly volatileDefaults: boolean
  /** Whether row-level security is on. */
  readonly guarded: boolean
  readonly ownCode: boolean
}

export interface IndexFacts {
  readonly schema: string
  readonly name: string
  /** The OID of its table. */
  readonly table: number
}

/** A function, operator or type. */
export interface Named {
  /** `schema.name` */
  readonly name: string
  readonly harmless: boolean
}

export interface SchemaFacts {
  readonly name: string
  /** Its owner and its privileges. */
  readonly rights: string
}

/** OIDs of types that run user-defined code without any word for it in the statement. */
export interface OwnCode {
  /** Types whose values are converted or compared by such code. */
  readonly values: readonly number[]
  /** Those, and types that others are converted to by such code. */
  readonly types: readonly number[]
}

export type ById<Value> = ReadonlyMap<number, Value>
export type Pairs = readonly { readonly one: number; readonly other: number }[]

/** What a database's catalogue says, by OID, so that parts of it can be read again. */
export interface Facts {
  /** The encoding of the database. */
  readonly encoding: string
  readonly schemas: ById<SchemaFacts>
  readonly ownCode: OwnCode
  readonly relations: ById<RelationFacts>
  readonly indexes: ById<IndexFacts>
  /** The definitions of views; empty where one could not be read. */
  readonly definitions: ById<string>
  readonly triggers: ReadonlySet<number>
  readonly rules: ReadonlySet<number>
  readonly policies: ById<readonly string[]>
  /** From parent to child. */
  readonly inheritance: Pairs
  /** From a table to one that changes along with it. */
  readonly cascades: Pairs
  readonly routines: ById<Named>
  readonly operators: ById<Named>
  readonly types: ById<Named>
  /**
   * Relations whose expressions were left out because somebody had locked them. They are read next
   * time, whether anything has changed or not.
   */
  readonly locked: ReadonlySet<number>
}

/**
 * Objects with OIDs from here on were created after the database (PostgreSQL documentation, "OID
 * Assignment").
 */
const firstOfDatabase = 16_384

/**
 * Whether an object came with the server. `information_schema` has a few pure functions that its
 * views use, and that drivers call too.
 */
function ofServer(schema: string, oid: number): boolean {
  return oid < firstOfDatabase && (schema === 'pg_catalog' || schema === 'information_schema')
}

/** Reads the whole catalogue. Rejects with the error of the connection. */
export async function readFacts(probe: Probe): Promise<Facts> {
  const ask = asking(probe)
  const first = await together({
    encoding: ask.encoding(),
    schemas: ask.schemas(),
    ownCode: ask.ownCode(),
    locked: ask.locked(),
  })
  const { ownCode, locked } = first
  const rest = await together({
    relations: ask.relations(queries.relations(queries.all, ownCode.values, locked)),
    indexes: ask.indexes(queries.all),
    definitions: ask.definitions(queries.all, locked),
    triggers: ask.ids(queries.triggers),
    rules: ask.ids(queries.rules),
    policies: ask.policies(locked),
    inheritance: ask.pairs(queries.inheritance),
    cascades: ask.pairs(queries.cascades),
    routines: ask.routines(queries.all),
    operators: ask.named(queries.operators),
    types: ask.named(queries.types(queries.all, ownCode.types)),
  })
  return { ...first, ...rest }
}

/**
 * Reads what has changed. Returns `known` itself where that makes no difference, and `null` where
 * we cannot follow everything that depends on a change, so that the whole catalogue has to be read.
 * Rejects with the error of the connection.
 */
export async function renewFacts(
  known: Facts,
  { fresh, unsettled, lost }: Changes,
  probe: Probe,
): Promise<Facts | null> {
  if (fresh.size + lost.size + known.locked.size === 0) return known
  const ask = asking(probe)
  const changed = (...of: Watched[]): boolean => of.some((one) => fresh.has(one) || lost.has(one))
  const about = (...of: Watched[]) => new Set(of.flatMap((one) => [...(fresh.get(one) ?? [])]))
  const goneFrom = async (
    catalogue: Watched,
    ...before: readonly ById<unknown>[]
  ): Promise<readonly number[]> => {
    // An object whose row was replaced is not gone.
    const certain = (oid: number) =>
      before.some((one) => one.has(oid)) && !unsettled.get(catalogue)?.includes(oid)
    const replaced = [...about(catalogue)].filter(certain).length
    if (replaced === (lost.get(catalogue) ?? 0)) return []
    const left = await ask.ids(queries.present(catalogue))
    return before.flatMap((one) => [...one.keys()]).filter((oid) => !left.has(oid))
  }

  const relations = about('pg_class', 'pg_attribute', 'pg_attrdef')
  for (const oid of known.locked) if (known.relations.has(oid)) relations.add(oid)
  const [routines, operators, types] = [about('pg_proc'), about('pg_operator'), about('pg_type')]
  const others = [
    ...[...relations].filter((oid) => known.relations.has(oid)),
    ...[...routines].filter((oid) => known.routines.has(oid)),
    ...[...types].filter((oid) => known.types.has(oid)),
    ...operators,
  ]
  const first = await together({
    schemas: changed('pg_namespace') ? ask.schemas() : known.schemas,
    locked: ask.locked(),
    // The definitions of these views change with the names of the objects in them.
    naming: others.length > 0 ? ask.ids(queries.viewsOf(others)) : [],
    triggers: changed('pg_trigger') ? ask.ids(queries.triggers) : known.triggers,
    rules: changed('pg_rewrite') ? ask.ids(queries.rules) : known.rules,
    inheritance: changed('pg_inherits') ? ask.pairs(queries.inheritance) : known.inheritance,
    cascades: changed('pg_constraint') ? ask.pairs(queries.cascades) : known.cascades,
    indexes: relations.size > 0 && ask.indexes(queries.among(relations)),
    routines: routines.size > 0 && ask.routines(queries.among(routines)),
    operators: changed('pg_operator', 'pg_proc') ? ask.named(queries.operators) : known.operators,
    types:
      changed('pg_type', 'pg_constraint', 'pg_attribute') &&
      ask.named(queries.types(queries.typesOf(types, relations), known.ownCode.types)),
    gone: together({
      relations: goneFrom('pg_class', known.relations, known.indexes),
      routines: goneFrom('pg_proc', known.routines),
      types: goneFrom('pg_type', known.types),
    }),
  })
  const { schemas, locked, triggers, rules, inheritance, cascades, gone } = first
  // Changes that anything may depend on: a schema's name or privileges, the server's own objects,
  // extensions.
  const wide =
    [...known.schemas].some(([oid, one]) => !isDeepStrictEqual(schemas.get(oid) ?? one, one)) ||
    changed('members', 'pg_auth_members', 'pg_cast', 'pg_opclass') ||
    others.some((oid) => oid < firstOfDatabase)
  if (wide) return null

  const views = new Set([...about('pg_rewrite'), ...known.locked, ...first.naming])
  const isPolicies =
    changed('pg_policy') || (known.policies.size > 0 && others.length + known.locked.size > 0)
  const expressions = await together({
    relations:
      relations.size > 0 &&
      ask.relations(queries.relations(queries.among(relations), known.ownCode.values, locked)),
    definitions: views.size > 0 && ask.definitions(queries.among(views), locked),
    policies: isPolicies ? ask.policies(locked) : known.policies,
  })
  const { policies } = expressions
  // What was read before an object was locked still counts, until somebody commits a change to it.
  const leftOut = [...locked].filter(
    (oid) =>
      relations.has(oid) || views.has(oid) || (policies !== known.policies && policies.has(oid)),
  )
  const renewed: Facts = {
    encoding: known.encoding,
    schemas,
    // A change of this leads to a reading of everything (`wide`).
    ownCode: known.ownCode,
    relations: replaced(known.relations, [...relations, ...gone.relations], expressions.relations),
    indexes: replaced(known.indexes, [...relations, ...gone.relations], first.indexes),
    definitions: replaced(
      known.definitions,
      [...views, ...gone.relations],
      expressions.definitions,
    ),
    ...{ triggers, rules, policies, inheritance, cascades, operators: first.operators },
    routines: replaced(known.routines, [...routines, ...gone.routines], first.routines),
    types: replaced(known.types, [...types, ...gone.types], first.types),
    locked: new Set(leftOut),
  }
  return isDeepStrictEqual(renewed, known) ? known : renewed
}

/**
 * Awaits all values of an object. Queries that are started together share one round trip, even if
 * some turn out not to be needed: the next statement waits for this, and one after another they
 * would take ten.
 */
async function together<Of extends Readonly<Record<string, unknown>>>(
  of: Of,
): Promise<{ readonly [Key in keyof Of]: Awaited<Of[Key]> }> {
  const values = await Promise.all(Object.values(of))
  return Object.fromEntries(Object.keys(of).map((key, i) => [key, values[i]])) as Awaited<
    ReturnType<typeof together<Of>>
  >
}

/**
 * `known` without the OIDs in `without`, and with what was read `now`; `known` itself if that makes
 * no difference.
 */
function replaced<Value>(
  known: ById<Value>,
  without: readonly number[],
  now: ById<Value> | false,
): ById<Value> {
  const touched = [...without, ...(now ? now.keys() : [])]
  const isThen = (oid: number): Value | undefined => (now ? now.get(oid) : undefined)
  // Avoids copying a large map, of which little is ever touched.
  if (touched.every((oid) => isDeepStrictEqual(isThen(oid), known.get(oid)))) return known
  const next = new Map(known)
  for (const oid of without) next.delete(oid)
  for (const [oid, value] of now || []) next.set(oid, value)
  return next
}

/** The queries, each with its answer arranged by OID. */
function asking(probe: Probe) {
  const rows = (sql: string) => probe.query(sql, [])
  const idOf = (row: Row, column = 'oid'): number => Number(row[column])
  const textOf = (row: Row, column: string): string => row[column] ?? ''
  const byId = async <Value>(sql: string, of: (row: Row) => Value): Promise<ById<Value>> =>
    new Map((await rows(sql)).map((row) => [idOf(row), of(row)]))
  return {
    schemas: () =>
      byId(queries.schemas, (row): SchemaFacts => ({
        name: textOf(row, 'name'),
        rights: textOf(row, 'rights'),
      })),
    /** Includes the views on what is locked, because describing those needs the lock too. */
    locked: async (): Promise<queries.Locked> => {
      const own = (await rows(queries.lockedNow)).map((row) => idOf(row))
      if (own.length === 0) return new Set()
      return new Set([...own, ...(await rows(queries.viewsOf(own))).map((row) => idOf(row))])
    },
    encoding: async () => (await rows(queries.encoding))[0]?.['encoding'] ?? '',
    ids: async (sql: string): Promise<ReadonlySet<number>> =>
      new Set((await rows(sql)).map((row) => idOf(row))),
    pairs: async (sql: string): Promise<Pairs> =>
      (await rows(sql)).map((row) => ({ one: idOf(row, 'one'), other: idOf(row, 'other') })),
    ownCode: async (): Promise<OwnCode> => {
      const found = await rows(queries.ownCode)
      const values = found.filter(({ converted }) => converted === 'true')
      return { values: values.map((row) => idOf(row)), types: found.map((row) => idOf(row)) }
    },
    relations: (sql: string) =>
      byId(sql, (row): RelationFacts => ({
        schema: textOf(row, 'schema'),
        name: textOf(row, 'name'),
        kind: textOf(row, 'kind'),
        columns: JSON.parse(row['columns'] ?? '[]') as string[],
        generated: JSON.parse(row['generated'] ?? '[]') as [string, string][],
        volatileDefaults: row['volatile_defaults'] === 'true',
        guarded: row['guarded'] === 'true',
        ownCode: row['own_code'] === 'true',
      })),
    indexes: (which: queries.Which) =>
      byId(queries.indexes(which), (row): IndexFacts => ({
        schema: textOf(row, 'schema'),
        name: textOf(row, 'name'),
        table: idOf(row, 'on_table'),
      })),
    definitions: (which: queries.Which, locked: queries.Locked) =>
      byId(queries.definitions(which, locked), (row) => textOf(row, 'definition')),
    policies: (locked: queries.Locked) =>
      byId(queries.policies(locked), (row) => JSON.parse(row['expressions'] ?? '[]') as string[]),
    routines: (which: queries.Which) =>
      byId(queries.routines(which), (row): Named => {
        const [schema, name] = [textOf(row, 'schema'), textOf(row, 'name')]
        const harmless = ofServer(schema, idOf(row))
          ? schema === 'information_schema' || isHarmless(name)
          : row['harmless'] === 'true'
        return { name: qualified(schema, name), harmless }
      }),
    named: (sql: string) =>
      byId(sql, (row): Named => ({
        name: qualified(textOf(row, 'schema'), textOf(row, 'name')),
        harmless: row['harmless'] === 'true',
      })),
  }
}
