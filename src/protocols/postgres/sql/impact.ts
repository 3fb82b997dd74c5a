import { Unknown, type Attribute } from '../../../core/action.ts'
import type { Analysis, Probe, SqlContext, Statement } from './statement.ts'

/** What a statement would touch, before it runs. */
export interface Impact {
  /** Rows, as the server's planner estimates them; `Unknown` where it cannot be asked. */
  readonly rows: Attribute
  readonly [name: string]: Attribute
}

export interface Asked {
  readonly text: string
  readonly analysis: Analysis
  readonly searchPath: SqlContext['searchPath']
  /** Bind values as texts; `null` for one that is NULL. `undefined`: they came in a form that only the server reads. */
  readonly values: readonly (string | null)[] | undefined
}

/** Statements that EXPLAIN can plan (PostgreSQL, EXPLAIN). */
const plannable = /^(SELECT|INSERT|UPDATE|DELETE|MERGE)$/

/** How long the planner may take, and wait for a lock. */
const limits = [`SET LOCAL statement_timeout = '2s'`, `SET LOCAL lock_timeout = '500ms'`]

/**
 * Estimates how many rows statements would touch: by EXPLAIN, which runs none of them, over a connection of the gateway's own, in a transaction that is read-only. Planning
 * calls functions that say of themselves that they do not change, so that a statement with one that is not known to be harmless is not even planned.
 */
export class Impacts {
  readonly #probe: Probe
  // One at a time: they share a connection, and its transaction.
  #queue: Promise<unknown> = Promise.resolve()

  constructor(probe: Probe) {
    this.#probe = probe
  }

  /** Never rejects: an impact that cannot be had is unknown. */
  async of(asked: Asked): Promise<Impact> {
    const obstacle = obstacleTo(asked)
    if (obstacle !== null) return { rows: new Unknown(obstacle) }
    const mine = this.#queue.then(() => this.#estimate(asked))
    this.#queue = mine
    return mine
  }

  async #estimate({ text, analysis, searchPath, values = [] }: Asked): Promise<Impact> {
    const bytes = Buffer.from(text)
    const [{ start, end }] = only(analysis) as [Statement]
    try {
      await this.#probe.query('BEGIN READ ONLY', [])
      for (const limit of limits) await this.#probe.query(limit, [])
      const path = searchPath.filter((schema) => schema !== 'pg_temp').map(quoted)
      await this.#probe.query(`SELECT pg_catalog.set_config('search_path', $1, true)`, [
        path.join(', '),
      ])
      const statement = bytes.subarray(start, end).toString()
      const rows = await this.#probe.query(`EXPLAIN (FORMAT json) ${statement}`, values)
      return { rows: estimateOf(rows[0]?.['QUERY PLAN']) }
    } catch {
      // Closed: a rule that looks at it takes it for the worst.
      return { rows: new Unknown('The database could not estimate it.') }
    } finally {
      // If that fails, the connection is gone, and the transaction with it.
      await this.#probe.query('ROLLBACK', []).catch(() => undefined)
    }
  }
}

/** Why it is not asked for; `null` if nothing is in the way. */
function obstacleTo({ analysis, values }: Asked): string | null {
  const [statement, ...more] = only(analysis)
  if (!statement) return 'It could not be read.'
  if (more.length > 0) return 'There are several statements in one text.'
  if (!plannable.test(statement.command)) return `${statement.command} has no plan.`
  const { unproven } = statement.sql
  const harmless = Array.isArray(unproven) && unproven.length === 0
  if (!harmless || statement.effect === 'unknown') return 'Planning it might have an effect.'
  return values === undefined ? 'Its values came in a form that only the server reads.' : null
}

/** Statements besides BEGIN, COMMIT and their like. */
function only({ statements }: Analysis): readonly Statement[] {
  return statements.filter(({ control }) => !control)
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  readonly 'Parent Relationship'?: string
  readonly Plans?: readonly Plan[]
}

/** What a change touches is what goes into its topmost node; in a query with several changes, the largest of them. */
function estimateOf(json: unknown): Attribute {
  const [{ Plan: top }] = (typeof json === 'string' ? JSON.parse(json) : json) as [{ Plan: Plan }]
  const changes = changesIn(top)
  return changes.length > 0 ? Math.max(...changes) : top['Plan Rows']
}

function changesIn(plan: Plan): readonly number[] {
  const below = plan.Plans ?? []
  // Other queries of the statement hang below it as InitPlan and SubPlan.
  const rows = below.filter((one) => /^(Outer|Member)$/.test(one['Parent Relationship'] ?? ''))
  const own =
    plan['Node Type'] === 'ModifyTable'
      ? [rows.reduce((sum, one) => sum + one['Plan Rows'], 0)]
      : []
  return [...own, ...below.flatMap(changesIn)]
}

function quoted(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`
}
