import { randomUUIDv7 } from 'node:crypto'
import type { Action, Attributes } from '../../core/action.ts'
import type { Subject } from '../../core/subject.ts'
import type { Impact } from './sql/impact.ts'
import type { Analysis } from './sql/statement.ts'

/** Characters of what an agent says that it is doing this for, and of a text in a summary. */
const longestReason = 500
const longestSummary = 300

interface Facts {
  readonly subject: Subject
  readonly resource: string
  readonly database: string
  /** The user name that the client gave: its own claim. */
  readonly user: string
  readonly text: string
  readonly analysis: Analysis
  readonly impact: Impact | null
}

const traceparent = /traceparent='00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}'/

/** What all actions have in common whose texts are read alike. */
interface Described {
  readonly database: string
  readonly user: string
  readonly attributes: Attributes
  // From the latest of these texts.
  said: Said
}

/** What people get to read of a text. */
interface Said extends Pick<Action, 'summary' | 'agentReason' | 'trace' | 'span'> {
  readonly text: string
}

// A text that runs again has the same analysis, and so does one that differs from it only in
// constants.
const known = new WeakMap<Analysis['sql'], Described>()

/**
 * Describes one statement, with the values it runs with, for policies, people and the audit log.
 */
export function actionOf(facts: Facts): Action {
  const { subject, resource, analysis, impact } = facts
  const { attributes, said } = describe(facts)
  const { summary, agentReason, trace, span } = said
  return {
    id: randomUUIDv7(),
    name: 'sql.statement',
    subject,
    resource,
    effect: analysis.effect,
    attributes: impact ? { ...attributes, impact: { ...impact } } : attributes,
    summary,
    agentReason,
    trace,
    ...(span && { span }),
  }
}

function describe({ text, database, user, analysis }: Facts): Described {
  const before = known.get(analysis.sql)
  if (before?.database === database && before.user === user) {
    if (before.said.text !== text) before.said = saidIn(text)
    return before
  }
  const described: Described = {
    database,
    user,
    // Frozen, so that whatever is derived from it can be cached alongside.
    attributes: Object.freeze({ sql: Object.freeze({ ...analysis.sql, database, user }) }),
    said: saidIn(text),
  }
  known.set(analysis.sql, described)
  return described
}

function saidIn(text: string): Said {
  const summary = clipped(inOneLine(text), longestSummary)
  // The reason and the trace can only be in a comment.
  if (!text.includes('/*')) return { text, summary, agentReason: null, trace: null }
  return { text, summary, agentReason: reasonOf(text), ...traceOf(text) }
}

/**
 * A `--` comment ends with its line. Joined by a plain space, the SQL on the next line would look
 * like part of the comment, although it runs.
 */
function inOneLine(text: string): string {
  const lineBreak = text.includes('--') ? ' ⏎ ' : ' '
  return text.trim().replaceAll(/\s+/g, (space) => (/[\n\r]/.test(space) ? lineBreak : ' '))
}

/** The reason in a leading comment of the form `sallyport: reason=…`. */
function reasonOf(text: string): string | null {
  const said = /^\s*\/\*\s*sallyport:\s*reason=([^*]*)\*\//.exec(text)?.[1]?.trim()
  return said ? clipped(said, longestReason) : null
}

/**
 * The trace of `traceparent='…'` in a comment, as sqlcommenter writes it (W3C Trace Context, §3.2).
 * One comment at a time: a single pattern for both takes quadratic time on hostile input.
 */
function traceOf(text: string): Pick<Action, 'trace' | 'span'> {
  for (const [comment] of text.matchAll(/\/\*[^*]*\*\//g)) {
    const [, trace, parent] = traceparent.exec(comment) ?? []
    // The database starts no spans of its own, so nothing will name this one as its parent.
    if (trace !== undefined && parent !== undefined) return { trace, span: { parent } }
  }
  return { trace: null }
}

function clipped(text: string, longest: number): string {
  if (text.length <= longest) return text
  // Do not cut a surrogate pair in half.
  return `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
