import type { Row, Token, TokenKind } from './rows.ts'

export interface FormattedJson {
  readonly rows: readonly Row[]
  /** Member names that stand twice in one object: readers disagree on which one counts. */
  readonly duplicates: readonly string[]
}

/** Deeper than this the indent alone would be longer than the text; it is shown raw. */
const maxDepth = 64

/** The tokens of a text that `JSON.parse` has accepted (RFC 8259 §2). */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g

function kindOf(text: string, isKey: boolean): TokenKind {
  if (text[0] === '"') return isKey ? 'key' : 'string'
  if (/^[-\d]/.test(text)) return 'number'
  return /^[tfn]/.test(text) ? 'word' : 'punctuation'
}

interface Level {
  readonly close: string
  readonly names: Set<string>
}

/**
 * JSON on lines of its own, from its own tokens: member order, escapes, and how numbers are written
 * stay as the agent sent them, and only the white space between them is ours. `null` if it is not
 * JSON, or nested too deeply.
 */
export function formatJson(text: string): FormattedJson | null {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  const all = text.match(token) ?? []
  const rows: Row[] = []
  const duplicates: string[] = []
  const levels: Level[] = []
  let line: Token[] = []

  const flush = () => {
    rows.push({ label: String(rows.length + 1), tokens: line })
    line = levels.length > 0 ? [{ kind: 'plain', text: '  '.repeat(levels.length) }] : []
  }

  for (const [i, it] of all.entries()) {
    const level = levels.at(-1)
    const isKey = all[i + 1] === ':'
    if (isKey && level) {
      const name = JSON.parse(it) as string
      if (level.names.has(name)) duplicates.push(name)
      level.names.add(name)
    }
    if (it === level?.close) {
      levels.pop()
      // An empty object or array stays on its line.
      if (all[i - 1] !== '{' && all[i - 1] !== '[') flush()
    }
    line.push({ kind: kindOf(it, isKey), text: it === ':' ? ': ' : it })
    if (it === '{' || it === '[') {
      if (levels.length === maxDepth) return null
      levels.push({ close: it === '{' ? '}' : ']', names: new Set() })
      if (all[i + 1] !== '}' && all[i + 1] !== ']') flush()
    }
    if (it === ',') flush()
  }
  flush()
  return { rows, duplicates }
}
