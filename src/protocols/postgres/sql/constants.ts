import { isStruct, type Struct } from './nodes.ts'

/** Characters of a text, and constants in it, that are worth looking at. */
const longest = 4_096
const most = 100

/**
 * What makes it uncertain, without a parser, where a constant begins and ends: comments, escapes,
 * dollar quotes, and whatever is not ASCII or not printed.
 */
const uncertain = /--|\/\*|\\|\$(?!\d)|[^\t\n\r -~]/

/**
 * Whole numbers that are an `integer` wherever they stand; a quote with a prefix (`E'…'`, `U&"…"`),
 * which makes it uncertain, too; strings without a quote in them; names in quotes, so that nothing
 * in them is taken for either.
 */
const pieces = /(?<![\w$.])\d{1,9}(?![\w$.'"])|(?<=[\w$&])['"]|'[^']*'|"[^"]*"/g

/**
 * A text with a mark in the place of each constant, which no text has that is certain; `null` where
 * there are none, or too many, or where it is uncertain which there are.
 */
export function withoutConstants(text: string): string | null {
  if (text.length > longest || uncertain.test(text)) return null
  let found = 0
  const rest = text.replace(pieces, (piece) => {
    const kind = kindOf(piece)
    if (kind === 'name') return piece
    found += kind === 'prefixed' ? Infinity : 1
    return kind === 'number' ? '\x01' : '\x02'
  })
  return found > 0 && found <= most ? rest : null
}

/** Whether anybody has looked at what constants say. */
interface Watch {
  looked: boolean
}

// A tree is read again when names have come to mean something else.
const watches = new WeakMap<object, Watch | null>()

/**
 * Watches who looks at what the constants of a tree say. `null` unless every constant that
 * `withoutConstants` takes out of the text is one in the tree, with that value: then the tree of
 * another text with the same rest differs from it in these values alone, since a lexer that goes
 * from left to right meets the same tokens in it.
 */
export function watchConstants(text: string, tree: object): Watch | null {
  const before = watches.get(tree)
  if (before !== undefined) return before
  const wanted = constantsOf(text)
  const watch = { looked: false }
  visit(tree, (constant) => {
    const { location } = constant
    if (typeof location !== 'number' || wanted.get(location) !== valueOf(constant)) return
    if (wanted.delete(location)) watchOne(constant, watch)
  })
  const made = wanted.size === 0 ? watch : null
  watches.set(tree, made)
  return made
}

function watchOne(constant: Struct, watch: Watch): void {
  for (const kind of ['ival', 'sval']) {
    const value = constant[kind]
    if (value === undefined) continue
    Object.defineProperty(constant, kind, {
      enumerable: true,
      get() {
        watch.looked = true
        return value
      },
    })
  }
}

/** By where they are in the text. */
function constantsOf(text: string): Map<number, number | string> {
  const constants = new Map<number, number | string>()
  for (const { 0: piece, index } of text.matchAll(pieces)) {
    const kind = kindOf(piece)
    if (kind === 'number') constants.set(index, Number(piece))
    else if (kind === 'string') constants.set(index, piece.slice(1, -1))
  }
  return constants
}

function kindOf(piece: string): 'number' | 'string' | 'name' | 'prefixed' {
  const isName = piece.startsWith('"')
  if (!isName && !piece.startsWith("'")) return 'number'
  if (piece.length === 1) return 'prefixed'
  return isName ? 'name' : 'string'
}

/** What the parser says of 0, and of an empty string, is nothing. */
function valueOf({ ival, sval }: Struct): unknown {
  if (isStruct(ival)) return ival['ival'] ?? 0
  return isStruct(sval) ? (sval['sval'] ?? '') : undefined
}

function visit(node: unknown, constant: (constant: Struct) => void): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, constant)
  } else if (isStruct(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key === 'A_Const' && isStruct(value)) constant(value)
      else visit(value, constant)
    }
  }
}
