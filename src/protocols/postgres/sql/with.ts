import type { CommonTableExpr, WithClause } from 'libpg-query'
import { texts } from './nodes.ts'
import { derived, noOutputs, type Outputs, type Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/** Reads the queries of a WITH clause, and defines them in the scope. */
export function readWith(clause: WithClause | undefined, scope: Scope, walk: Walk): void {
  const queries = (clause?.ctes ?? []).flatMap((node) =>
    'CommonTableExpr' in node ? [node.CommonTableExpr] : [],
  )
  // With RECURSIVE, each may name itself and every other (PostgreSQL documentation, "WITH
  // Queries").
  if (clause?.recursive) {
    // Each round may add to the values of the one before.
    walk.found.gathers = true
    for (const { ctename = '' } of queries) scope.define(ctename, { list: [], open: true })
  }
  for (const query of queries) scope.define(query.ctename ?? '', readCommon(query, scope, walk))
}

function readCommon(query: CommonTableExpr, scope: Scope, walk: Walk): Outputs {
  const outputs = query.ctequery ? walk.readers.query(query.ctequery, scope, walk) : noOutputs
  const { cycle_mark_value: mark, cycle_mark_default: other } = query.cycle_clause ?? {}
  walk.readers.expression([mark, other], scope, walk)
  const source = derived('', outputs, texts(query.aliascolnames))
  // SEARCH and CYCLE add columns of their own.
  const more = query.search_clause !== undefined || query.cycle_clause !== undefined
  return { list: source.outputs, open: source.open || more }
}
