import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import * as queries from './catalogue-queries.ts'
import { qualified } from './names.ts'
import type { Catalogue, Probe, Relation, Standing } from './statement.ts'

type Row = Awaited<ReturnType<Probe['query']>>[number]

let versions = 0

/** Reads everything that the analysis asks of a server's catalogue. Rejects with whatever the connection says. */
export async function readCatalogue(probe: Probe): Promise<Catalogue> {
  await probe.query(queries.emptyPath, [])
  const rows = async (sql: string) => probe.query(sql, [])
  const schemas = await rows(queries.schemas)
  const relations = await rows(queries.relations)
  const children = descendants(await rows(queries.inheritance))
  const cascades = pairs(await rows(queries.cascades), ['schema', 'name'], ['to_schema', 'to_name'])
  return new CatalogueSnapshot({
    version: ++versions,
    schemas: schemas.map((row) => row['name'] ?? ''),
    relations: new Map(
      relations.map((row) => {
        const name = qualified(row['schema'] ?? '', row['name'] ?? '')
        const parents = [...children].filter(([, below]) => below.has(name)).map(([above]) => above)
        const more = { children: [...(children.get(name) ?? [])], parents }
        return [name, relationOf(row, { ...more, cascades: [...(cascades.get(name) ?? [])] })]
      }),
    ),
    routines: standings(await rows(queries.routines)),
    operators: standings(await rows(queries.operators)),
    types: standings(await rows(queries.types)),
  })
}

const kinds: Readonly<Record<string, Relation['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
}

function relationOf(
  row: Row,
  neighbours: Pick<Relation, 'children' | 'parents' | 'cascades'>,
): Relation {
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
    ...neighbours,
  }
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
