import { Unknown, type Attribute } from '../../../core/action.ts'
import type { Analysis, Probe, SessionProbe, SqlContext, Statement } from './statement.ts'

/** How many rows a statement would touch, found out before it runs. */
export type Impact = {
  /** The planner's estimate; `Unknown` where it cannot be asked. */
  readonly rows: Attribute
  /** The count from a run that was rolled back. Only where that was asked for. */
  readonly exact_rows?: Attribute
}

export interface Asked {
  readonly text: string
  readonly analysis: Analysis
  readonly searchPath: SqlContext['searchPath']
  /** Whether the rows have to be counted, and not only estimated. */
  readonly exact: boolean
  /**
   * Bind values as texts, `null` for NULL; `undefined` where they came in binary, which only the
   * server reads.
   */
  readonly values: readonly (string | null)[] | undefined
}

/** Statements that EXPLAIN can plan (PostgreSQL, EXPLAIN). */
const plannable = /^(SELECT|INSERT|UPDATE|DELETE|MERGE)$/

/** Limits on how long the question may take, and may wait for a lock. */
const limits = [`SET LOCAL statement_timeout = '2s'`, `SET LOCAL lock_timeout = '500ms'`]

/**
 * Finds out how many rows statements would touch, over a connection of the gateway's own. An
 * estimate comes from EXPLAIN, which does not run the statement, in a read-only transaction. A
 * count comes from running the statement and rolling it back, only where the rollback undoes
 * everything. Planning already calls functions that are declared immutable, so a statement with one
 * that is not known to be harmless is not even planned.
 */
export class Impacts {
  readonly #probe: SessionProbe
  // One question at a time, because they share a connection and its transaction.
  #queue: Promise<unknown> = Promise.resolve()

  constructor(probe: SessionProbe) {
    this.#probe = probe
  }

  /** Never rejects. An impact that cannot be found out is `Unknown`. */
  async of(asked: Asked): Promise<Impact> {
    const obstacle = obstacleTo(asked)
    const counted = asked.exact ? (obstacle ?? doubtAbout(asked)) : null
    const mine = this.#queue.then(async () => ({
      rows: obstacle === null ? await this.#plan(asked, 'estimate') : new Unknown(obstacle),
      ...(asked.exact && {
        exact_rows: counted === null ? await this.#plan(asked, 'count') : new Unknown(counted),
      }),
    }))
    this.#queue = mine
    return mine
  }

  async #plan(asked: Asked, way: keyof typeof ways): Promise<Attribute> {
    // Closed: rules treat an unknown impact as the worst.
    const unknown = new Unknown(`The database could not ${way} it.`)
    // All on one connection: a statement that ran on another would be committed.
    const planned = this.#probe.within(async (probe) => {
      try {
        return await plan(asked, way, probe)
      } catch {
        // Closed: no rule that asks for the impact allows an unknown one.
        return unknown
      } finally {
        await probe.query('ROLLBACK', [])
      }
    })
    return planned.catch(() => unknown)
  }
}

async function plan(asked: Asked, way: keyof typeof ways, probe: Probe): Promise<Attribute> {
  const { text, analysis, searchPath, values = [] } = asked
  const [{ start, end, gathers }] = only(analysis) as [Statement]
  const { begin, explain, field } = ways[way]
  await probe.query(begin, [])
  for (const limit of limits) await probe.query(limit, [])
  const path = searchPath.filter((schema) => schema !== 'pg_temp').map(quoted)
  await probe.query(`SELECT pg_catalog.set_config('search_path', $1, true)`, [path.join(', ')])
  const statement = Buffer.from(text).subarray(start, end).toString()
  const rows = await probe.query(`${explain} ${statement}`, values)
  return rowsOf(rows[0]?.['QUERY PLAN'], field, gathers)
}

const ways = {
  estimate: { begin: 'BEGIN READ ONLY', explain: 'EXPLAIN (FORMAT json)', field: 'Plan Rows' },
  count: {
    begin: 'BEGIN',
    explain: 'EXPLAIN (ANALYZE, TIMING false, SUMMARY false, FORMAT json)',
    field: 'Actual Rows',
  },
} as const

/** Why a statement that can be planned must not be run and rolled back; `null` if it may. */
function doubtAbout({ analysis }: Asked): string | null {
  const [{ undoable }] = only(analysis) as [Statement]
  return undoable === true ? null : `A roll-back would not undo it: ${undoable.because}.`
}

/** Why a statement must not even be planned; `null` if it may. */
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

/** The statements apart from BEGIN, COMMIT and the like. */
function only({ statements }: Analysis): readonly Statement[] {
  return statements.filter(({ control }) => !control)
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  /** The average over its loops. */
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Parent Relationship'?: string
  readonly Plans?: readonly Plan[]
}

/**
 * The rows that it changes in total, or those that it returns, whichever is more. Where one value
 * may be made from many rows (`json_agg`), the largest number in any part of the plan counts as
 * returned.
 */
function rowsOf(json: unknown, field: Field, gathers: boolean): Attribute {
  const [{ Plan: top }] = (typeof json === 'string' ? JSON.parse(json) : json) as [{ Plan: Plan }]
  const changed = changesIn(top, field).reduce((sum, rows) => sum + rows, 0)
  return Math.max(changed, gathers ? mostIn(top, field) : rowsAt(top, field))
}

function mostIn(plan: Plan, field: Field): number {
  const below = (plan.Plans ?? []).map((one) => mostIn(one, field))
  return Math.max(rowsAt(plan, field), ...below)
}

type Field = (typeof ways)[keyof typeof ways]['field']

function rowsAt(plan: Plan, field: Field): number {
  const rows = plan[field]
  if (rows === undefined) throw new Error(`a plan without ${field}`)
  return field === 'Plan Rows' ? rows : Math.round(rows * (plan['Actual Loops'] ?? 1))
}

function changesIn(plan: Plan, field: Field): readonly number[] {
  const below = plan.Plans ?? []
  // Other children (InitPlan, SubPlan) are separate queries of the statement.
  const rows = below.filter((one) => /^(Outer|Member)$/.test(one['Parent Relationship'] ?? ''))
  const own =
    plan['Node Type'] === 'ModifyTable'
      ? [rows.reduce((sum, one) => sum + rowsAt(one, field), 0)]
      : []
  return [...own, ...below.flatMap((one) => changesIn(one, field))]
}

function quoted(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`
}
