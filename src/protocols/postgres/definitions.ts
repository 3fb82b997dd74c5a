import { createHash } from 'node:crypto'
import { contested, ofAnything, ofNamed, reachedFrom, runsCode } from './definition-queries.ts'
import type { Rows } from './server-side.ts'
import { sinceCrash } from './sql/catalogue-changes.ts'
import { partsOf } from './sql/names.ts'
import type { Probe, SqlAttributes } from './sql/statement.ts'

/**
 * The attributes that list what a text names, directly or through a view, and what else it may run.
 */
const lists = ['named', 'reached', 'functions', 'unproven'] as const

const isolation = `SELECT 'isolation', 0::pg_catalog.oid, pg_catalog.current_setting('transaction_isolation')`

/**
 * After a crash, the server reuses transaction ids and row places that had not reached the disk, so
 * they identify nothing across one.
 */
const history = `SELECT 'history', 0::pg_catalog.oid, ${sinceCrash}::pg_catalog.text`

const path = `SELECT 'path', 0::pg_catalog.oid, pg_catalog.current_schemas(false)::pg_catalog.text`

const always = [isolation, path, history]

/** Verbs that define nothing, so that no event trigger runs with them. */
const ofRows = new Set([
  ...['select', 'insert', 'update', 'delete', 'merge', 'truncate', 'copy'],
  ...['declare', 'explain', 'lock'],
])

/**
 * The query that asks what the names in a text stand for; `null` for a text that names nothing.
 * `searchPath`: schemas in which another thing by such a name may turn up. It would be meant
 * instead, if it comes earlier, or if it is a function that fits the arguments better.
 */
export function definitionsQuestion(
  sql: SqlAttributes,
  searchPath: readonly string[],
): string | null {
  const listOf = (list: string): readonly string[] => {
    const names = sql[list]
    return Array.isArray(names) ? (names as readonly string[]) : []
  }
  const isOpen = lists.some((list) => !Array.isArray(sql[list]))
  const defines = !listOf('verb').every((verb) => ofRows.has(verb))
  const pairs = lists.flatMap((list) =>
    listOf(list).flatMap((one) => {
      const [schema = '', name = ''] = partsOf(one)
      const schemas = list === 'reached' ? [schema] : [schema, ...searchPath]
      return schemas.filter((one) => !ofServer.has(one)).map((schema) => pair(schema, name))
    }),
  )
  const values = [...new Set(pairs)].join(', ')
  if (values === '') return isOpen ? anything : null
  const isRead = Array.isArray(sql.tables_written) && sql.tables_written.length === 0
  const more = [contested(isRead), ...(isOpen ? ofAnything : [runsCode])]
  return reachedFrom(values, defines) + [...always, ...ofNamed, ...more].join(' UNION ALL ')
}

const anything = [...always, ...ofAnything].join(' UNION ALL ')

/**
 * Binds an approval to what the names in a text stand for: SHA-256, in hex. A table, view or
 * function that was replaced, or that got another owner, rule, trigger, policy or right, gives
 * another digest, even under the same name. `seen` is the session's own answer to `question`, and
 * `inside` asks it more. A transaction that keeps to one snapshot sees old definitions there, while
 * the server runs by the current ones: for such a session `outside`, a connection without a
 * transaction, is asked as well.
 */
export async function definitionsIn(
  seen: Rows,
  question: string,
  inside: Ask,
  outside: Probe,
): Promise<string> {
  const own = await linesOf(seen, inside)
  const others = isCurrent(seen) ? own : await linesOutside(question, outside)
  // Where both see the same, the digest does not depend on the isolation level.
  const all = own === others ? own : `${own}\n\n${others}`
  const path = seen.find(([what]) => what === 'path')
  return createHash('sha256')
    .update(`${JSON.stringify(path)}\n\n${all}`)
    .digest('hex')
}

type Ask = (question: string) => Promise<Rows>

function isCurrent(seen: Rows): boolean {
  return seen.some(([what, , level]) => what === 'isolation' && level === 'read committed')
}

async function linesOutside(question: string, outside: Probe): Promise<string> {
  const ask: Ask = async (one) => (await outside.query(one, [])).map((row) => Object.values(row))
  return linesOf(await ask(question), ask)
}

/** Whether the answer says that somebody is about to change what a text names. */
export function isContested(seen: Rows): boolean {
  return seen.some(([what]) => what === 'contested')
}

/** What differs between sessions and moments that see the same definitions. */
const ofSession = new Set(['isolation', 'path', 'code', 'contested'])

/** Code that somebody has written may do anything. That is seldom asked for, so it comes apart. */
async function linesOf(seen: Rows, ask: Ask): Promise<string> {
  const runs = seen.some(([what, , runs]) => what === 'code' && runs === 'true')
  const rows = runs ? [...seen, ...(await ask(anything))] : seen
  const definitions = rows.filter(([what]) => !ofSession.has(what ?? ''))
  return definitions
    .map((row) => JSON.stringify(row))
    .toSorted()
    .join('\n')
}

/** Nobody but a superuser puts anything there; what is temporary, only the session itself. */
const ofServer = new Set(['pg_catalog', 'pg_temp'])

/** Typed like the catalogues' own columns, so that their indexes are used. */
function pair(schema: string, name: string): string {
  return `(${literal(schema)}, ${literal(name)})`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'::pg_catalog.name`
}
