import type { CopyStmt } from 'libpg-query'
import { texts } from './nodes.ts'
import { readFrom } from './relations.ts'
import { Scope, type Item } from './scope.ts'
import type { Walk } from './walk.ts'
import { writeTo } from './written.ts'

/** Reads COPY, in both directions, with the client or with files and programs of the server. */
export function readCopy(copy: CopyStmt, walk: Walk): void {
  const { found } = walk
  const into = copy.is_from === true
  found.command = 'COPY'
  found.add('verb', 'copy')
  if (copy.query) walk.readers.statement(copy.query, walk)
  if (copy.relation) {
    const item = into ? writeTo(copy.relation, ['insert'], walk) : readFrom(copy.relation, walk)
    if (!into) found.add('verb', 'select')
    readList(copy, item, walk)
    found.takesAll ||= !into && copy.whereClause === undefined
    const scope = new Scope(null)
    scope.add(item)
    walk.readers.expression(copy.whereClause, scope, walk)
  }
  found.command = 'COPY'
  if (copy.is_program) {
    found.add('verb', 'copy program')
    found.obscure('It runs a program on the server.')
  } else if (copy.filename !== undefined) {
    found.add('verb', 'copy file')
    found.raise('admin')
    found.cannotUndo('it reads or writes a file of the server')
  } else {
    found.session.push({ kind: into ? 'copy-in' : 'copy-out' })
  }
}

/** Adds the listed columns, or all of them where there is no list. */
function readList({ attlist }: CopyStmt, { sources }: Item, { found }: Walk): void {
  const names = texts(attlist)
  for (const { columns } of sources) {
    for (const [name, stored] of columns) {
      if (!attlist || names.includes(name)) found.add('columns', ...stored)
    }
  }
}
