import type { RangeVar } from 'libpg-query'
import { Findings } from './findings.ts'
import { meaningsOf, qualified, type Meaning } from './names.ts'
import { texts } from './nodes.ts'
import { itemOf, outputsOf, Scope, sourceFrom, type Columns, type Item } from './scope.ts'
import type { Relation, SqlContext } from './statement.ts'
import type { Walk } from './walk.ts'

/**
 * The server prints definitions with all names qualified, so no search path plays a part in them.
 */
const nothingInPath: Pick<SqlContext, 'searchPath' | 'temporary'> = {
  searchPath: [],
  temporary: new Map(),
}

/** What reading a view does. Cached by relation, which belongs to one snapshot of the catalogue. */
interface ViewReading {
  readonly found: Findings
  readonly columns: Columns
}

const views = new WeakMap<Relation, ViewReading>()

/** Reads a table, view or other relation in a FROM clause. */
export function readFrom(range: RangeVar, walk: Walk): Item {
  const { schemaname, relname = '', alias } = range
  const name = alias?.aliasname ?? relname
  const renamed = texts(alias?.colnames)
  const sources = meaningsOf(schemaname, relname, walk.context).map((meaning) => {
    const columns = readMeaning(meaning, range.inh !== true, walk)
    return sourceFrom({
      alias: name,
      schema: alias || meaning.kind !== 'relation' ? null : meaning.relation.schema,
      outputs: columns ? outputsOf(columns, renamed) : [],
      open: columns === null,
      stored: true,
    })
  })
  return itemOf(sources)
}

/**
 * Adds what reading from a relation means. Returns its columns; `null` where they are not known.
 */
export function readMeaning(meaning: Meaning, only: boolean, walk: Walk): Columns | null {
  const { found } = walk
  found.add('named', meaning.name)
  found.add('tables_read', meaning.name)
  if (meaning.kind === 'missing') {
    found.missing.add(meaning.name)
    found.raise('unknown')
    found.hide(
      `The catalogue knows no ${meaning.name}.`,
      ...(['tables_read', 'reached', 'columns', 'unproven'] as const),
    )
    return null
  }
  if (meaning.kind === 'temporary') {
    found.hide(`The columns of ${meaning.name} are not known.`, 'columns')
    if (meaning.is === 'other') {
      found.raise('unknown')
      found.hide(`What ${meaning.name} reads is not known.`, 'tables_read', 'reached', 'unproven')
    }
    return null
  }
  const { relation } = meaning
  if (!only) reachChildren(relation, walk)
  found.add('reached', ...relation.parents)
  return walk.readers.relation(relation, walk)
}

function reachChildren({ children }: Relation, { context, found }: Walk): void {
  found.add('reached', ...children)
  for (const name of children)
    if (context.catalogue?.data.relations.get(name)?.kind === 'foreign-table') foreign(name, found)
}

function foreign(name: string, found: Findings): void {
  found.raise('unknown')
  found.hide(`What reading ${name} does is not known.`, 'reached')
}

/** System relations that show values from the columns of any table, or large objects. */
const ofAnyTable = new Set([
  ...['pg_statistic', 'pg_stats', 'pg_statistic_ext_data', 'pg_stats_ext', 'pg_stats_ext_exprs'],
  'pg_largeobject',
])

/** Implements `Readers.relation`. */
export function readRelation(relation: Relation, walk: Walk): Columns {
  const { found } = walk
  if (relation.kind === 'foreign-table' || relation.kind === 'other') {
    foreign(qualified(relation.schema, relation.name), found)
  }
  if (isSystem(relation) && ofAnyTable.has(relation.name)) {
    const why = `What ${relation.name} shows is in tables that nobody has named.`
    found.hide(why, 'tables_read', 'reached', 'columns')
  }
  if (relation.ownCode) {
    const why = `Somebody's own function may convert or compare what is in ${qualified(relation.schema, relation.name)}.`
    found.raise('unknown')
    found.hide(why, 'unproven', 'reached')
    found.cannotUndo(why)
  }
  for (const policy of relation.policies) readPolicy(policy, relation, walk)
  if (relation.definition === null) return columnsWithParents(relation, walk)
  const view = views.get(relation) ?? readView(relation, walk)
  // Apart from the catalogue, the reading depends only on what the resource's configuration
  // declares, which does not change while the process lives.
  views.set(relation, view)
  // A materialized view holds a copy. Its query does not run, and what that has read is not read
  // now.
  if (relation.kind === 'view') includeView(view.found, found)
  else found.add('reached', ...view.found.names('tables_read'))
  return view.columns
}

/** Adds what filling a materialized view does, which runs its query. */
export function readStored(relation: Relation, walk: Walk): void {
  if (relation.kind !== 'materialized-view') return
  includeView(readView(relation, walk).found, walk.found)
}

/** Adds what a view does. Its SELECT is no verb of the statement, but any other verb is. */
function includeView(view: Findings, found: Findings): void {
  found.include(view, ['verb', 'named'])
  found.add('verb', ...verbsBesides(view))
}

function verbsBesides(found: Findings): readonly string[] {
  return found.names('verb').filter((verb) => verb !== 'select')
}

export function isSystem({ schema }: Relation): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema'
}

/** A generated column counts along with those that it is computed from. */
function ownColumns({ schema, name, columns, generated }: Relation): Columns {
  return new Map(
    columns.map((column) => {
      const sources = generated.filter(([made]) => made === column).map(([, source]) => source)
      return [column, [column, ...sources].map((one) => qualified(schema, name, one))] as const
    }),
  )
}

/** Reading a partition, or a table that inherits, reads columns of its parents by another name. */
function columnsWithParents(relation: Relation, { context }: Walk): Columns {
  const own = ownColumns(relation)
  if (relation.parents.length === 0) return own
  const parents = relation.parents.flatMap((name) => {
    const parent = context.catalogue?.data.relations.get(name)
    return parent ? [ownColumns(parent)] : []
  })
  return new Map(
    [...own].map(([column, names]) => {
      return [column, [...names, ...parents.flatMap((parent) => parent.get(column) ?? [])]] as const
    }),
  )
}

function readView(relation: Relation, walk: Walk): ViewReading {
  const found = new Findings()
  const inside: Walk = {
    ...walk,
    found,
    lazily: false,
    context: { ...walk.context, ...nothingInPath },
  }
  const own = ownColumns(relation)
  const statement = walk.parse(relation.definition ?? '').tree?.stmts?.[0]?.stmt
  if (!statement) {
    const name = qualified(relation.schema, relation.name)
    found.obscure(`What ${name} reads could not be read.`)
    // Somebody had it for themselves just then: worth asking again.
    if (relation.definition === '') found.missing.add(name)
    return { found, columns: own }
  }
  const outputs = walk.readers.query(statement, null, { ...inside, lazily: true })
  const columns = [...own].map(([column, names], position) => {
    return [column, [...names, ...(outputs.list[position]?.columns ?? [])]] as const
  })
  if (outputs.open || outputs.list.length !== own.size) {
    found.hide('Columns of a view could not be told apart.', 'columns')
  }
  return { found, columns: new Map(columns) }
}

/**
 * Adds what a policy's expression does, which runs with every statement on its table. Which tables
 * it reads is up to its owner, but what it calls may have an effect.
 */
function readPolicy(expression: string, relation: Relation, walk: Walk): void {
  const found = new Findings()
  const inside: Walk = {
    ...walk,
    found,
    lazily: false,
    context: { ...walk.context, ...nothingInPath },
  }
  // In parentheses, so that an empty expression, which could not be read, is a syntax error.
  const text = `SELECT (${expression}) FROM ${quoted(relation.schema)}.${quoted(relation.name)}`
  const statement = walk.parse(text).tree?.stmts?.[0]?.stmt
  const select = statement && 'SelectStmt' in statement ? statement.SelectStmt : null
  if (!select) {
    found.obscure('A row-level policy could not be read.')
    if (expression === '') walk.found.missing.add(qualified(relation.schema, relation.name))
  } else {
    const scope = new Scope(null)
    const columns = ownColumns(relation)
    const { schema, name } = relation
    const outputs = outputsOf(columns)
    scope.add(itemOf([sourceFrom({ alias: name, schema, outputs, open: false, stored: true })]))
    walk.readers.expression(select.targetList, scope, inside)
  }
  walk.found.add('unproven', ...found.names('unproven'))
  walk.found.add('verb', ...verbsBesides(found))
  walk.found.raise(found.effect)
  if (found.undoable !== true) walk.found.cannotUndo(found.undoable.because)
  if (found.session.length > 0) walk.found.clouds()
  const hidden = found.hidden('reached')
  if (hidden !== null) walk.found.hide(hidden, 'reached')
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
