import { isStruct, type Struct } from './nodes.ts'

/**
 * The longest text, in UTF-16 code units, and the most constants in it that are worth looking for.
 */
const longest = 4_096
const most = 100

/**
 * What makes it impossible to tell, without a parser, where a constant begins and ends: comments,
 * escapes, dollar quotes, and anything but printable ASCII.
 */
const uncertain = /--|\/\*|\\|\$(?!\d)|[^\t\n\r -~]/

/**
 * Finds whole numbers that are an `integer` wherever they stand; the opening quote of a prefixed
 * string (`E'…'`, `U&"…"`), which makes the text uncertain too; strings without a quote in them;
 * and quoted names, so that nothing within them is taken for a constant.
 */
const pieces = /(?<![\w$.])\d{1,9}(?![\w$.'"])|(?<=[\w$&])['"]|'[^']*'|"[^"]*"/g

/**
 * The text with a mark in place of each constant. The marks cannot occur in a text that passes
 * `uncertain`. `null` where there are no constants, too many, or where we cannot tell.
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

/** Whether the value of any watched constant has been looked at. */
interface Watch {
  looked: boolean
}

// Kept, because a tree is read again when names have come to mean something else.
const watches = new WeakMap<object, Watch | null>()

/**
 * Watches whether anything looks at the values of a tree's constants. Returns `null` unless every
 * constant that `withoutConstants` finds is in the tree, at that place and with that value. If they
 * all are, the tree of any other text with the same rest differs in these values alone, because a
 * lexer that goes from left to right meets the same tokens.
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

/** The values of constants, by their places in the text. */
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

/** The parser leaves out the values 0 and ''. */
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
