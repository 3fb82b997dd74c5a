import { watchConstants, withoutConstants } from './constants.ts'
import { LongTexts } from './long-texts.ts'
import { Parser, type Parsed } from './parser.ts'
import { readText } from './read-text.ts'
import { Remembered } from './remembered.ts'
import type { Analyser, Analysis, SqlContext } from './statement.ts'

export interface AnalyserOptions {
  /** UTF-16 code units. Longer texts are parsed in a thread of their own. */
  readonly longAbove?: number
  /** Milliseconds that parsing a long text may take. */
  readonly longTimeout?: number
  /** Roughly how many bytes the caches may hold. */
  readonly cacheBytes?: number
}

/** An analysis, and the length of the text that it was made from. */
interface Known {
  readonly analysis: Analysis
  readonly length: number
}

/** Loads the parser and returns an analyser. One is enough for a process. */
export async function createAnalyser(options: AnalyserOptions = {}): Promise<Analyser> {
  const { longAbove = 64 * 1024, longTimeout = 10_000, cacheBytes = 64 * 1024 * 1024 } = options
  const parser = await Parser.load()
  const trees = new Remembered<Parsed>(cacheBytes / 2)
  const analyses = new Remembered<Known>(cacheBytes / 2)
  const long = new LongTexts(longTimeout)

  const parse = (text: string): Parsed => {
    const known = trees.get(text)
    if (known) return known
    const parsed = parser.parse(text)
    // A failure of the parser itself may be temporary. What it says about a text never changes.
    if (parsed.unreadable?.kind !== 'parser') trees.set(text, parsed, text.length * 40)
    return parsed
  }

  /** `rest`: the text without its constants; `null` where we cannot tell those. */
  const read = (text: string, rest: string | null, context: SqlContext): Analysis => {
    const { tree } = parse(text)
    const watch = tree && rest !== null ? watchConstants(text, tree) : null
    if (watch) watch.looked = false
    const { analysis, ofSession } = readText(text, context, parse)
    if (!ofSession && analysis.unreadable?.kind !== 'parser') {
      const alike = watch?.looked === false && standsForAll(analysis)
      const key = alike ? keyOfRest(rest!, context) : keyOf(text, context)
      analyses.set(key, { analysis, length: text.length }, text.length * 10)
    }
    return analysis
  }

  const analyse = (text: string, context: SqlContext): Analysis | Promise<Analysis> => {
    if (text.length > longAbove) return long.analyse(text, context)
    const ofSession = context.temporary.size > 0 || context.unsettled
    const known = ofSession ? undefined : analyses.get(keyOf(text, context))
    if (known) return known.analysis
    const rest = ofSession ? null : withoutConstants(text)
    const alike = rest === null ? undefined : analyses.get(keyOfRest(rest, context))
    if (alike) return ofLength(text.length, alike)
    // Another text has just broken the parser, which is no reason to refuse this one.
    if (!parser.ready) return parser.settled().then(() => read(text, rest, context))
    return read(text, rest, context)
  }

  return { analyse, close: async () => long.close() }
}

/**
 * Whether the analysis holds for every text that differs only in constants which the analysis did
 * not look at, except for where its one statement ends.
 */
function standsForAll({ statements, missing, unreadable }: Analysis): boolean {
  const [statement, ...more] = statements
  const isPlain = statement?.session.length === 0 && more.length === 0
  return isPlain && missing.length === 0 && unreadable === null
}

function ofLength(length: number, { analysis, length: before }: Known): Analysis {
  if (length === before) return analysis
  const statements = analysis.statements.map((one) => ({ ...one, end: one.end + length - before }))
  return { ...analysis, statements }
}

const keyOfRest = (rest: string, context: SqlContext): string => `${contextKey(context)}\0${rest}`
const keyOf = (text: string, context: SqlContext): string => `${contextKey(context)}\n${text}`

const keys = new WeakMap<SqlContext, string>()

/**
 * What an analysis depends on besides the text, provided that nothing belongs to one session alone.
 * Cached by context, because a session passes the same object until something changes.
 */
function contextKey(context: SqlContext): string {
  const known = keys.get(context)
  if (known !== undefined) return known
  const { catalogue, searchPath, harmless, parameters = [] } = context
  const version = catalogue?.version ?? null
  const key = JSON.stringify([version, [...harmless].toSorted(), searchPath, parameters])
  keys.set(context, key)
  return key
}
