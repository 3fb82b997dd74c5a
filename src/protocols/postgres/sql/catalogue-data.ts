import type { ById, Facts, Named, Pairs } from './catalogue-facts.ts'
import { qualified } from './names.ts'
import type { CatalogueData, Relation, Standing } from './statement.ts'

const kinds: Readonly<Record<string, Relation['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
}

/** Arranges the facts by name, as the analysis asks for them. */
export function dataOf(facts: Facts, version: number): CatalogueData {
  return {
    version,
    encoding: facts.encoding,
    schemas: [...facts.schemas.values()].map(({ name }) => name),
    relations: relationsOf(facts),
    indexes: indexesOf(facts),
    routines: standings(facts.routines),
    operators: standings(facts.operators),
    types: standings(facts.types),
    typesByOid: facts.types,
  }
}

function relationsOf(facts: Facts): ReadonlyMap<string, Relation> {
  const { relations, definitions, triggers, rules, policies } = facts
  const children = new Map([...below(facts.inheritance)])
  const parents = grouped(
    [...children].flatMap(([one, all]) => [...all].map((other) => ({ one: other, other: one }))),
  )
  const cascades = cascading(facts, children)
  const names = (oids: ReadonlySet<number> | undefined): string[] =>
    [...(oids ?? [])].flatMap((oid) => {
      const relation = relations.get(oid)
      return relation ? [qualified(relation.schema, relation.name)] : []
    })
  return new Map(
    [...relations].map(
      ([oid, { schema, name, kind, columns, generated, volatileDefaults, guarded, ownCode }]) => [
        qualified(schema, name),
        {
          schema,
          name,
          kind: kinds[kind] ?? 'other',
          columns,
          generated,
          definition: definitions.get(oid) ?? null,
          triggers: triggers.has(oid),
          rules: rules.has(oid),
          policies: guarded ? (policies.get(oid) ?? []) : [],
          volatileDefaults,
          ownCode,
          children: names(children.get(oid)),
          parents: names(parents.get(oid)),
          cascades: names(cascades.get(oid)),
        },
      ],
    ),
  )
}

function indexesOf({ indexes, relations }: Facts): ReadonlyMap<string, string> {
  return new Map(
    [...indexes.values()].flatMap(({ schema, name, table }) => {
      const on = relations.get(table)
      return on ? [[qualified(schema, name), qualified(on.schema, on.name)]] : []
    }),
  )
}

/**
 * For each table, the tables that change along with it, at any depth: those that its foreign keys
 * and those of its children reach, and everything that inherits from these.
 */
function cascading({ cascades, inheritance }: Facts, children: ById<ReadonlySet<number>>) {
  const direct = grouped(cascades)
  return new Map(
    [...below([...cascades, ...inheritance])].map(([oid, reached]) => {
      const targets = [oid, ...reached].flatMap((one) => [...(direct.get(one) ?? [])])
      return [oid, new Set(targets.flatMap((one) => [one, ...(children.get(one) ?? [])]))] as const
    }),
  )
}

/** For each parent, everything below it, at any depth. */
function below(pairs: Pairs): ById<ReadonlySet<number>> {
  const direct = grouped(pairs)
  const all = new Map<number, Set<number>>()
  for (const parent of direct.keys()) {
    const found = new Set<number>()
    const open = [parent]
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      for (const child of direct.get(one) ?? []) {
        if (!found.has(child)) open.push(child)
        found.add(child)
      }
    }
    all.set(parent, found)
  }
  return all
}

function grouped(pairs: Pairs): ById<ReadonlySet<number>> {
  const groups = new Map<number, Set<number>>()
  for (const { one, other } of pairs) {
    const group = groups.get(one) ?? new Set()
    groups.set(one, group.add(other))
  }
  return groups
}

// Most changes concern tables, so the rest is carried from one snapshot to the next.
const known = new WeakMap<ById<Named>, ReadonlyMap<string, Standing>>()

/** Several objects may share a name, which is then only as harmless as the worst of them. */
function standings(objects: ById<Named>): ReadonlyMap<string, Standing> {
  const before = known.get(objects)
  if (before) return before
  const all = new Map<string, Standing>()
  for (const { name, harmless } of objects.values())
    if (all.get(name) !== 'unproven') all.set(name, harmless ? 'harmless' : 'unproven')
  known.set(objects, all)
  return all
}
