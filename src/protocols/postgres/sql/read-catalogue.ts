import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import * as queries from './catalogue-queries.ts'
import { qualified } from './names.ts'
import type { Catalogue, Probe, Relation, Standing } from './statement.ts'

type Row = Awaited<ReturnType<Probe['query']>>[number]

let versions = 0

type Neighbours = Pick<Relation, 'children' | 'parents' | 'cascades'>

/** Objects of one origin, by their names. */
interface Objects {
  readonly relations: ReadonlyMap<string, Relation>
  readonly routines: ReadonlyMap<string, Standing>
  readonly operators: ReadonlyMap<string, Standing>
  readonly types: ReadonlyMap<string, Standing>
}

/**
 * Reads everything that the analysis asks of a server's catalogue. By far the most of it comes with the server, and is read again only when that is not as it was: DDL
 * usually is about something else, and the next statement waits for this.
 */
export class CatalogueReader {
  readonly #probe: Probe
  // Owned by #ofServer().
  #known: { readonly fingerprint: string; readonly objects: Objects } | null = null

  constructor(probe: Probe) {
    this.#probe = probe
  }

  /** Rejects with whatever the connection says. */
  async read(): Promise<Catalogue> {
    const rows = (sql: string) => this.#probe.query(sql, [])
    await rows(queries.emptyPath)
    const [now] = await rows(queries.fingerprint)
    const ofServer = await this.#ofServer(now?.['fingerprint'] ?? '')
    const schemas = await rows(queries.schemas)
    const own = await this.#objects('database')
    const neighbours = neighboursIn(await rows(queries.inheritance), await rows(queries.cascades))
    const relations = new Map([...ofServer.relations, ...own.relations])
    for (const [name, near] of neighbours) {
      const relation = relations.get(name)
      if (relation) relations.set(name, { ...relation, ...near })
    }
    return new CatalogueSnapshot({
      version: ++versions,
      schemas: schemas.map((row) => row['name'] ?? ''),
      relations,
      routines: together(ofServer.routines, own.routines),
      operators: together(ofServer.operators, own.operators),
      types: together(ofServer.types, own.types),
    })
  }

  /** `fingerprint` was asked for before: what changes from then on has another one the next time. */
  async #ofServer(fingerprint: string): Promise<Objects> {
    if (this.#known?.fingerprint !== fingerprint)
      this.#known = { fingerprint, objects: await this.#objects('server') }
    return this.#known.objects
  }

  async #objects(origin: queries.Origin): Promise<Objects> {
    const rows = (sql: (origin: queries.Origin) => string) => this.#probe.query(sql(origin), [])
    const relations = (await rows(queries.relations)).map(relationOf)
    return {
      relations: new Map(relations.map((one) => [qualified(one.schema, one.name), one])),
      routines: standings(await rows(queries.routines)),
      operators: standings(await rows(queries.operators)),
      types: standings(await rows(queries.types)),
    }
  }
}

const kinds: Readonly<Record<string, Relation['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
}

function relationOf(row: Row): Relation {
  return {
    schema: row['schema'] ?? '',
    name: row['name'] ?? '',
    kind: kinds[row['kind'] ?? ''] ?? 'other',
    columns: JSON.parse(row['columns'] ?? '[]') as string[],
    definition: row['definition'] ?? null,
    triggers: row['triggers'] === 'true',
    rules: row['rules'] === 'true',
    policies: JSON.parse(row['policies'] ?? '[]') as string[],
    volatileDefaults: row['volatile_defaults'] === 'true',
    children: [],
    parents: [],
    cascades: [],
  }
}

/** By relation, what is above and below it, and what its foreign keys reach; those that have any of it only. */
function neighboursIn(
  inheritance: readonly Row[],
  cascading: readonly Row[],
): ReadonlyMap<string, Neighbours> {
  const children = descendants(inheritance)
  const cascades = pairs(cascading, ['schema', 'name'], ['to_schema', 'to_name'])
  const parents = new Map<string, string[]>()
  for (const [above, below] of children)
    for (const name of below) parents.set(name, [...(parents.get(name) ?? []), above])
  const names = new Set([...children.keys(), ...parents.keys(), ...cascades.keys()])
  return new Map(
    [...names].map((name) => [
      name,
      {
        children: [...(children.get(name) ?? [])],
        parents: parents.get(name) ?? [],
        cascades: [...(cascades.get(name) ?? [])],
      },
    ]),
  )
}

/** By parent, everything below it at any depth. */
function descendants(rows: readonly Row[]): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = pairs(rows, ['parent_schema', 'parent'], ['child_schema', 'child'])
  const all = new Map<string, Set<string>>()
  for (const parent of direct.keys()) {
    const below = new Set<string>()
    const open = [parent]
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      for (const child of direct.get(one) ?? []) {
        if (!below.has(child)) open.push(child)
        below.add(child)
      }
    }
    all.set(parent, below)
  }
  return all
}

function pairs(
  rows: readonly Row[],
  from: readonly [string, string],
  to: readonly [string, string],
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const row of rows) {
    const key = qualified(row[from[0]] ?? '', row[from[1]] ?? '')
    const set = found.get(key) ?? new Set()
    found.set(key, set.add(qualified(row[to[0]] ?? '', row[to[1]] ?? '')))
  }
  return found
}

function standings(rows: readonly Row[]): ReadonlyMap<string, Standing> {
  return new Map(
    rows.map((row) => [
      qualified(row['schema'] ?? '', row['name'] ?? ''),
      row['harmless'] === 'true' ? 'harmless' : 'unproven',
    ]),
  )
}

/** A name that both have is as harmless as the worse of them. */
function together(
  one: ReadonlyMap<string, Standing>,
  other: ReadonlyMap<string, Standing>,
): ReadonlyMap<string, Standing> {
  const all = new Map(one)
  for (const [name, standing] of other) if (all.get(name) !== 'unproven') all.set(name, standing)
  return all
}
