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

/** What all actions of texts that are read alike have in common. */
interface Described {
  readonly database: string
  readonly user: string
  readonly attributes: Attributes
  // Of the last one of them.
  said: Said
}

/** What a text says to people. */
interface Said extends Pick<Action, 'summary' | 'agentReason' | 'trace' | 'span'> {
  readonly text: string
}

// A text that runs again is read alike, and so are those that differ from it in constants alone.
const known = new WeakMap<Analysis['sql'], Described>()

/** One text, with the values that it runs with, as policies, people and the audit log know it. */
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
    // Frozen: what is derived from it can be kept with it.
    attributes: Object.freeze({ sql: Object.freeze({ ...analysis.sql, database, user }) }),
    said: saidIn(text),
  }
  known.set(analysis.sql, described)
  return described
}

function saidIn(text: string): Said {
  const summary = clipped(inOneLine(text), longestSummary)
  // Both are in comments.
  if (!text.includes('/*')) return { text, summary, agentReason: null, trace: null }
  return { text, summary, agentReason: reasonOf(text), ...traceOf(text) }
}

/**
 * A comment that ends with its line must not seem to go on: what comes behind it would look like a
 * part of it, and runs.
 */
function inOneLine(text: string): string {
  const lineBreak = text.includes('--') ? ' ⏎ ' : ' '
  return text.trim().replaceAll(/\s+/g, (space) => (/[\n\r]/.test(space) ? lineBreak : ' '))
}

/** A comment at the beginning that says `sallyport: reason=…`. */
function reasonOf(text: string): string | null {
  const said = /^\s*\/\*\s*sallyport:\s*reason=([^*]*)\*\//.exec(text)?.[1]?.trim()
  return said ? clipped(said, longestReason) : null
}

/**
 * Of `traceparent='…'` in a comment, as sqlcommenter writes it (W3C Trace Context, §3.2). Comment
 * by comment: to look for both at once takes the square of what a hostile one has.
 */
function traceOf(text: string): Pick<Action, 'trace' | 'span'> {
  for (const [comment] of text.matchAll(/\/\*[^*]*\*\//g)) {
    const [, trace, parent] = traceparent.exec(comment) ?? []
    // A server says no more of its own, so nothing can name this one as its caller.
    if (trace !== undefined && parent !== undefined) return { trace, span: { parent } }
  }
  return { trace: null }
}

function clipped(text: string, longest: number): string {
  if (text.length <= longest) return text
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
