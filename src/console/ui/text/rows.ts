export type TokenKind = 'plain' | 'key' | 'string' | 'number' | 'word' | 'punctuation' | 'comment'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
}

/** One line of a payload on the page. */
export interface Row {
  /** Line number or offset; empty where a long line goes on. */
  readonly label: string
  readonly tokens: readonly Token[]
}

/** What is put on the page at a time. */
const rowsInPart = 200
const charactersInPart = 16_384
/** A line that is longer goes on in the next row, so that a part can end inside it. */
const charactersInRow = 2_048

const lengthOf = (row: Row) => row.tokens.reduce((sum, { text }) => sum + text.length, 0)

/**
 * Never between the two halves of a surrogate pair: each alone would be shown as an unpaired one.
 */
function cut(text: string, at: number): number {
  const code = text.charCodeAt(at - 1)
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at
}

function wrapped(row: Row): Row[] {
  if (lengthOf(row) <= charactersInRow) return [row]
  const rows: Row[] = []
  let tokens: Token[] = []
  let room = charactersInRow
  const flush = () => {
    rows.push({ label: rows.length === 0 ? row.label : '', tokens })
    tokens = []
    room = charactersInRow
  }
  for (const { kind, text } of row.tokens) {
    let start = 0
    while (text.length - start > room) {
      const end = start + cut(text.slice(start, start + room + 1), room)
      tokens.push({ kind, text: text.slice(start, end) })
      start = end
      flush()
    }
    tokens.push({ kind, text: text.slice(start) })
    room -= text.length - start
  }
  flush()
  return rows
}

/**
 * A payload of any length in parts that a page can take in one after the other. Nothing is left
 * out.
 */
export function parts(rows: readonly Row[]): Row[][] {
  const all: Row[][] = []
  let part: Row[] = []
  let characters = 0
  for (const row of rows.flatMap(wrapped)) {
    if (
      part.length === rowsInPart ||
      (part.length > 0 && characters + lengthOf(row) > charactersInPart)
    ) {
      all.push(part)
      part = []
      characters = 0
    }
    part.push(row)
    characters += lengthOf(row)
  }
  if (part.length > 0) all.push(part)
  return all
}

/**
 * Text as it is: only a line feed ends a line, and everything else that is not seen is marked where
 * it stands.
 */
export function textRows(text: string): Row[] {
  return text
    .split('\n')
    .map((line, i) => ({ label: String(i + 1), tokens: [{ kind: 'plain', text: line }] }))
}

/**
 * Tokens of a whole text on its lines: one that goes over several is cut at the line feeds, which
 * end rows.
 */
export function onLines(all: readonly Token[]): Row[] {
  const rows: Row[] = []
  let line: Token[] = []
  const flush = () => {
    rows.push({ label: String(rows.length + 1), tokens: line })
    line = []
  }
  for (const { kind, text } of all) {
    for (const [i, piece] of text.split('\n').entries()) {
      if (i > 0) flush()
      if (piece !== '') line.push({ kind, text: piece })
    }
  }
  flush()
  return rows
}
