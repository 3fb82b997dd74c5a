import type { ParseResult } from 'libpg-query'
import { Unknown } from '../../../core/action.ts'
import { castToParameter } from './calls.ts'
import { changesNames } from './changes.ts'
import { combine } from './combine.ts'
import { Findings } from './findings.ts'
import { finish } from './finish.ts'
import type { Parsed } from './parser.ts'
import { readers } from './read-statement.ts'
import type { Analysis, SqlAttributes, SqlContext, Statement, Unreadable } from './statement.ts'
import type { Walk } from './walk.ts'

/**
 * `ofSession`: whether it depends on what the session has prepared, declared or created, rather
 * than only on the text and the catalogue.
 */
export interface Reading {
  readonly analysis: Analysis
  readonly ofSession: boolean
}

/**
 * The bytes of UTF-8 up to which a name is kept whole in every encoding. Longer names are truncated
 * differently from how this parser does it (NAMEDATALEN).
 */
const longestName = 59

/**
 * Why names cannot be told in a database that is not in UTF-8, or `null`. The server lower-cases
 * beyond ASCII there, and truncates long names elsewhere (scansup.c, downcase_identifier).
 */
function unclearNames(
  text: string,
  tree: ParseResult,
  { catalogue }: SqlContext,
): Unreadable | null {
  const encoding = catalogue?.data.encoding ?? 'UTF8'
  if (encoding === 'UTF8' || isAscii(text)) return null
  let isUnclear = false
  JSON.stringify(tree, (key, value: unknown) => {
    if (typeof value === 'string' && !isAscii(value))
      isUnclear ||= value !== value.toLowerCase() || Buffer.byteLength(value) > longestName
    return key === 'A_Const' ? undefined : value
  })
  const why = `What its names are in a database in ${encoding} is not known.`
  return isUnclear ? { kind: 'text', why, position: null } : null
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}

/** Reads every statement of a text. Never throws. */
export function readText(
  text: string,
  context: SqlContext,
  parse: (text: string) => Parsed,
): Reading {
  const { tree, unreadable } = parse(text)
  const unclear = unreadable ?? unclearNames(text, tree, context)
  if (unclear) return { analysis: notRead(unclear), ofSession: false }
  const end = Buffer.byteLength(text)
  const statements: Statement[] = []
  const missing = new Set<string>()
  let ofSession = context.temporary.size > 0 || context.unsettled
  let meaning = context
  try {
    for (const { stmt, stmt_location: start = 0, stmt_len: length } of tree?.stmts ?? []) {
      if (!stmt) continue
      const found = new Findings()
      const walk: Walk = { context: meaning, found, parse, readers, lazily: false }
      readers.statement(stmt, walk)
      for (const oid of context.parameters ?? []) castToParameter(oid, walk)
      statements.push(finish(found, stmt, { start, end: length ? start + length : end }))
      for (const name of found.missing) missing.add(name)
      ofSession ||= found.ofSession
      // Closed: from here on only the server knows what names mean, and it cannot be asked in the
      // middle of a text.
      if (found.session.some((change) => changesNames(change, context.unsettled)))
        meaning = { ...context, catalogue: null }
    }
  } catch (error) {
    // Closed: whatever it was, part of the text has not been read.
    const why =
      error instanceof RangeError
        ? 'It is nested too deeply to be read.'
        : 'The gateway could not make sense of it.'
    const kind = error instanceof RangeError ? 'too-deep' : 'parser'
    return { analysis: notRead({ kind, why, position: null }), ofSession: false }
  }
  const whole = combine(statements)
  return {
    analysis: { statements, ...whole, missing: [...missing], unreadable: null },
    ofSession,
  }
}

/** The analysis of a text that could not be read: everything is unknown. */
export function notRead(unreadable: Unreadable): Analysis {
  const unknown = new Unknown(unreadable.why)
  const sql: SqlAttributes = {
    verb: unknown,
    tables: unknown,
    tables_read: unknown,
    tables_written: unknown,
    named: unknown,
    reached: unknown,
    columns: unknown,
    functions: unknown,
    unproven: unknown,
    has_where: unknown,
    limit: unknown,
    statements: unknown,
    settings: unknown,
    channels: unknown,
    shape: unknown,
  }
  return { statements: [], effect: 'unknown', sql, missing: [], unreadable }
}
