import { Unknown, type Attribute } from '../../../core/action.ts'
import type { Analysis, Probe, SessionProbe, SqlContext, Statement } from './statement.ts'

/** What a statement would touch, before it runs. */
export type Impact = {
  /** Rows, as the server's planner estimates them; `Unknown` where it cannot be asked. */
  readonly rows: Attribute
  /** Rows that a run touched which was rolled back. Only where that was asked for. */
  readonly exact_rows?: Attribute
}

export interface Asked {
  readonly text: string
  readonly analysis: Analysis
  readonly searchPath: SqlContext['searchPath']
  /** Whether they have to be counted, and not only estimated. */
  readonly exact: boolean
  /**
   * Bind values as texts; `null` for one that is NULL. `undefined`: they came in a form that only
   * the server reads.
   */
  readonly values: readonly (string | null)[] | undefined
}

/** Statements that EXPLAIN can plan (PostgreSQL, EXPLAIN). */
const plannable = /^(SELECT|INSERT|UPDATE|DELETE|MERGE)$/

/** How long it may take, and wait for a lock. */
const limits = [`SET LOCAL statement_timeout = '2s'`, `SET LOCAL lock_timeout = '500ms'`]

/**
 * Finds out how many rows statements would touch, over a connection of the gateway's own: by
 * EXPLAIN, which runs none of them, in a transaction that is read-only; and, where that is asked
 * for, by a run that is rolled back, of what a roll-back undoes wholly. Planning calls functions
 * that say of themselves that they do not change, so that a statement with one that is not known to
 * be harmless is not even planned.
 */
export class Impacts {
  readonly #probe: SessionProbe
  // One at a time: they share a connection, and its transaction.
  #queue: Promise<unknown> = Promise.resolve()

  constructor(probe: SessionProbe) {
    this.#probe = probe
  }

  /** Never rejects: an impact that cannot be had is unknown. */
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
    // Closed: a rule that looks at it takes it for the worst.
    const unknown = new Unknown(`The database could not ${way} it.`)
    // All of it over one connection: on another, what is counted would be committed.
    const planned = this.#probe.within(async (probe) => {
      try {
        return await plan(asked, way, probe)
      } catch {
        // Closed: what is unknown is allowed by no rule that asks for it.
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

/**
 * Why it is not run and rolled back, although it can be planned; `null` if nothing is in the way.
 */
function doubtAbout({ analysis }: Asked): string | null {
  const [{ undoable }] = only(analysis) as [Statement]
  return undoable === true ? null : `A roll-back would not undo it: ${undoable.because}.`
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
  /** On average of its loops. */
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Parent Relationship'?: string
  readonly Plans?: readonly Plan[]
}

/**
 * What it changes, all changes together, or what it returns, whichever is more. Where one value may
 * be made from many rows (`json_agg`), it returns as many as any part of it does.
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
  // Other queries of the statement hang below it as InitPlan and SubPlan.
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
