import type { IntoClause } from 'libpg-query'
import { newName, qualified } from './names.ts'
import type { Walk } from './walk.ts'

/** Reads the target of SELECT INTO and CREATE TABLE AS. */
export function createFrom(into: IntoClause, { context, found }: Walk): void {
  const { schemaname, relname = '', relpersistence } = into.rel ?? {}
  const temporary = relpersistence === 't'
  const name = temporary ? qualified('pg_temp', relname) : newName(schemaname, relname, context)
  found.add('verb', 'create')
  found.add('tables_written', name)
  found.add('named', name)
  found.raise(temporary ? 'write' : 'admin')
  if (temporary) found.session.push({ kind: 'temporary', name: relname, is: 'table' })
  else found.session.push({ kind: 'ddl', moves: false })
}
