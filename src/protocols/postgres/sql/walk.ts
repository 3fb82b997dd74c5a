import type { Node } from 'libpg-query'
import type { Findings } from './findings.ts'
import type { Parsed } from './parser.ts'
import type { Columns, Outputs, Scope, Taken } from './scope.ts'
import type { Relation, SqlContext } from './statement.ts'

/**
 * One walk over one statement. The readers of expressions and of queries call each other through
 * this, and are put together in `read-statement.ts`.
 */
export interface Walk {
  readonly context: SqlContext
  readonly found: Findings
  /** For definitions of views and expressions of policies. */
  readonly parse: (text: string) => Parsed
  readonly readers: Readers
  /**
   * Set for the query of a view: a column counts as read only when somebody names it, not whenever
   * the view is read.
   */
  readonly lazily: boolean
}

export interface Readers {
  expression(node: unknown, scope: Scope, walk: Walk): void
  /** A SELECT, or an INSERT, UPDATE, DELETE or MERGE within a WITH. */
  query(node: Node, outer: Scope | null, walk: Walk): Outputs
  /** One item of a FROM clause, or one side of a JOIN. `scope`: what stands before it. */
  item(node: Node, scope: Scope, walk: Walk): Taken
  /** A whole statement within another, such as EXPLAIN, PREPARE, COPY or CREATE SCHEMA. */
  statement(node: Node, walk: Walk): void
  /** What reading from a relation means: for a view, everything that its query does. */
  relation(relation: Relation, walk: Walk): Columns
}
