import type { RangeVar } from 'libpg-query'
import { meaningsOf, type Meaning } from './names.ts'
import { isSystem, readMeaning } from './relations.ts'
import { itemOf, outputsOf, sourceFrom, type Columns, type Item } from './scope.ts'
import type { Relation } from './statement.ts'
import type { Walk } from './walk.ts'

export type Change = 'insert' | 'update' | 'delete' | 'truncate'

/**
 * Reads the table that a statement writes to, with what goes along: views, triggers, rules,
 * cascades.
 */
export function writeTo(range: RangeVar, changes: readonly Change[], walk: Walk): Item {
  const { schemaname, relname = '', alias, inh } = range
  walk.found.raise('write')
  walk.found.add('verb', ...changes)
  const sources = meaningsOf(schemaname, relname, walk.context).map((meaning) => {
    const columns = writeMeaning(meaning, changes, inh !== true, walk)
    return sourceFrom({
      alias: alias?.aliasname ?? relname,
      schema: alias || meaning.kind !== 'relation' ? null : meaning.relation.schema,
      outputs: columns ? outputsOf(columns) : [],
      open: columns === null,
      stored: true,
    })
  })
  return itemOf(sources)
}

function writeMeaning(
  meaning: Meaning,
  changes: readonly Change[],
  only: boolean,
  walk: Walk,
): Columns | null {
  const { found } = walk
  let columns: Columns | null = null
  // A view passes a change on to the tables that it reads, so all of them count as written.
  const below = found.during('tables_read', false, () => {
    columns = readMeaning(meaning, only, walk)
  })
  found.add('tables_written', ...below)
  const hidden = found.hidden('tables_read')
  if (hidden !== null) found.hide(hidden, 'tables_written')
  if (meaning.kind === 'relation') besides(meaning.relation, meaning.name, changes, walk)
  // And each brings along whatever goes with a change of it.
  for (const name of below) {
    const relation = name === meaning.name ? null : walk.context.catalogue?.data.relations.get(name)
    if (relation) besides(relation, name, changes, walk)
  }
  return columns
}

/** Adds what happens along with the change itself. */
function besides(
  relation: Relation,
  name: string,
  changes: readonly Change[],
  { context, found }: Walk,
): void {
  if (isSystem(relation)) {
    found.raise('admin')
    found.cannotUndo(`${name} belongs to the system`)
    // UPDATE pg_settings is a SET (PostgreSQL documentation, "pg_settings"), and other catalogues
    // decide what names mean.
    found.session.push({ kind: 'opaque' }, { kind: 'ddl', moves: true })
    if (relation.name === 'pg_settings') found.add('verb', 'set')
  }
  if (relation.rules) found.obscure(`Rules of ${name} may do something else instead.`)
  // The triggers of partitions fire too.
  const relations = context.catalogue?.data.relations
  const fired = [name, ...relation.children].find((one) => relations?.get(one)?.triggers)
  if (fired !== undefined) found.cannotUndo(`what the triggers of ${fired} do is not known`)
  if (relation.kind !== 'table') found.cannotUndo(`${name} is no ordinary table`)
  if (relation.volatileDefaults && changes.includes('insert')) {
    found.cannotUndo(`${name} has defaults that a roll-back does not take back, such as a sequence`)
  }
  if (changes.some((one) => one === 'delete' || one === 'update')) {
    found.add('reached', ...relation.cascades)
    if (relation.cascades.length > 0) found.cannotUndo(`deleting from ${name} cascades`)
  }
}
