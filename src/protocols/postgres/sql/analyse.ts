import { LongTexts } from './long-texts.ts'
import { Parser, type Parsed } from './parser.ts'
import { readText } from './read-text.ts'
import { Remembered } from './remembered.ts'
import type { Analyser, Analysis, SqlContext } from './statement.ts'

export interface AnalyserOptions {
  /** Of UTF-16; longer ones are parsed in a thread of their own. */
  readonly longAbove?: number
  /** How long that may take, in milliseconds. */
  readonly longTimeout?: number
  /** What the cache may hold, in bytes: an estimate. */
  readonly cacheBytes?: number
}

/** Loads the parser. One is enough for the process. */
export async function createAnalyser(options: AnalyserOptions = {}): Promise<Analyser> {
  const { longAbove = 64 * 1024, longTimeout = 10_000, cacheBytes = 64 * 1024 * 1024 } = options
  const parser = await Parser.load()
  const trees = new Remembered<Parsed>(cacheBytes / 2)
  const analyses = new Remembered<Analysis>(cacheBytes / 2)
  const long = new LongTexts(longTimeout)

  const parse = (text: string): Parsed => {
    const known = trees.get(text)
    if (known) return known
    const parsed = parser.parse(text)
    // A failure of the parser may pass; what it says about the text does not.
    if (parsed.unreadable?.kind !== 'parser') trees.set(text, parsed, text.length * 40)
    return parsed
  }

  const read = (text: string, key: string, context: SqlContext): Analysis => {
    const { analysis, ofSession } = readText(text, context, parse)
    if (!ofSession && analysis.unreadable?.kind !== 'parser') {
      analyses.set(key, analysis, text.length * 10)
    }
    return analysis
  }

  const analyse = (text: string, context: SqlContext): Analysis | Promise<Analysis> => {
    if (text.length > longAbove) return long.analyse(text, context)
    const key = `${keyOf(context)}\n${text}`
    const ofSession = context.temporary.size > 0 || context.unsettled
    const known = ofSession ? undefined : analyses.get(key)
    if (known) return known
    // Somebody's text has just broken the parser: that is no reason to refuse this one.
    if (!parser.ready) return parser.settled().then(() => read(text, key, context))
    return read(text, key, context)
  }

  return { analyse, close: async () => long.close() }
}

const declared = new WeakMap<ReadonlySet<string>, string>()

/** What an analysis depends on besides the text, as long as nothing of the session itself is in it. */
function keyOf({ catalogue, searchPath, harmless, parameters }: SqlContext): string {
  const names = declared.get(harmless) ?? JSON.stringify([...harmless].toSorted())
  declared.set(harmless, names)
  return `${catalogue?.version ?? '-'} ${names} ${JSON.stringify(searchPath)} ${parameters?.join(' ') ?? ''}`
}
