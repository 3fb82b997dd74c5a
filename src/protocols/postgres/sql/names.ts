import type { Relation, SqlContext, TemporaryKind } from './statement.ts'

/** `schema.name`, with a part in quotes where it could otherwise be misread: `public."a.b"`. */
export function qualified(...parts: readonly string[]): string {
  return parts.map(quote).join('.')
}

function quote(part: string): string {
  return /["*.]/.test(part) || part === '' ? `"${part.replaceAll('"', '""')}"` : part
}

/** The parts of a name that `qualified` made. */
export function partsOf(name: string): readonly string[] {
  const parts = name.match(/"(?:[^"]|"")*"|[^".]+/g) ?? []
  return parts.map((part) => {
    return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part
  })
}

/** What a name of a relation stands for. */
export type Meaning =
  | { readonly kind: 'relation'; readonly name: string; readonly relation: Relation }
  | { readonly kind: 'temporary'; readonly name: string; readonly is: TemporaryKind }
  | { readonly kind: 'missing'; readonly name: string }

/**
 * Resolves a name as the server would: temporary objects first, then `pg_catalog`, then the search
 * path (PostgreSQL documentation, "The System Catalog Schema"). A name may have several meanings:
 * one that a temporary object may hide has both, since we cannot tell whether the object was rolled
 * back; so has one that exists in several schemas of the path (`lasting`).
 */
export function meaningsOf(
  schema: string | undefined,
  name: string,
  context: SqlContext,
): readonly Meaning[] {
  const meanings: Meaning[] = []
  const temporary = context.temporary.get(name)
  const ofSession = schema === 'pg_temp' || schema?.startsWith('pg_temp_') === true
  if (temporary && (schema === undefined || ofSession)) {
    meanings.push({ kind: 'temporary', name: qualified('pg_temp', name), is: temporary })
  }
  if (!ofSession) {
    for (const relation of relationsBy(schema, name, context)) {
      const full = qualified(relation.schema, relation.name)
      meanings.push({ kind: 'relation', name: full, relation })
    }
  }
  if (meanings.length > 0) return meanings
  return [{ kind: 'missing', name: newName(schema, name, context) }]
}

/**
 * Schemas that the server searches first even if the path does not name them. They are never the
 * default for creating objects.
 */
const implied = new Set(['pg_temp', 'pg_catalog'])

/**
 * The qualified name of a new object. By default it goes into the first schema of the path that
 * exists.
 */
export function newName(schema: string | undefined, name: string, context: SqlContext): string {
  const { searchPath, catalogue } = context
  const first = searchPath.find((one) => !implied.has(one) && catalogue?.hasSchema(one) !== false)
  return qualified(schema ?? first ?? 'public', name)
}

/**
 * The schemas in which an unqualified name is looked up, in order. The server never looks for
 * functions and operators in `pg_temp`.
 */
export function schemasOf({ searchPath }: SqlContext): readonly string[] {
  return searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath]
}

/**
 * Of all objects with an unqualified name, in the order of the path, those that may be meant. Not
 * only the first: a statement that was prepared before another schema had the name keeps its
 * meaning, and one that has waited for a lock on a dropped object looks its names up again. A match
 * in `pg_catalog` is final.
 */
export function lasting<Found extends { readonly schema: string }>(
  found: readonly Found[],
): readonly Found[] {
  const certain = found.findIndex(({ schema }) => schema === 'pg_catalog')
  return certain < 0 ? found : found.slice(0, certain + 1)
}

/** The indexes that a name may stand for, each with its table; `schema.name`. */
export function indexesOf(
  schema: string | undefined,
  name: string,
  context: SqlContext,
): readonly { readonly name: string; readonly table: string }[] {
  const schemas = schema === undefined ? schemasOf(context) : [schema]
  return schemas.flatMap((one) => {
    const full = qualified(one, name)
    const table = context.catalogue?.data.indexes.get(full)
    return table === undefined ? [] : [{ name: full, table }]
  })
}

function relationsBy(
  schema: string | undefined,
  name: string,
  context: SqlContext,
): readonly Relation[] {
  const schemas = schema === undefined ? schemasOf(context) : [schema]
  return lasting(schemas.flatMap((one) => context.catalogue?.relation(one, name) ?? []))
}
