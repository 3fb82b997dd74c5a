import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node } from 'yaml'
import { MistakesError, type Mistake } from './errors.ts'
import { offsetWithin } from './yaml-offset.ts'

export interface Place {
  /** From 1, both. */
  readonly line: number
  readonly column: number
}

/** A YAML file that can be read: what it says, and where it says so. */
export interface YamlFile {
  readonly file: string
  readonly value: unknown
  /**
   * Where the value at this path is; of a path that is not there, where its closest ancestor is.
   */
  place(path: readonly PropertyKey[]): Place
  /** Where the character is that the text at this path has at this index, from 0. */
  placeWithin(path: readonly PropertyKey[], index: number): Place
  /** Where the name of the last key of this path is. */
  keyPlace(path: readonly PropertyKey[]): Place
  /**
   * Mistakes that leave the rest readable. Whoever checks the value adds its own, and throws them
   * all together.
   */
  readonly mistakes: Mistake[]
}

/**
 * Messages of the parser that quote nothing: what it stumbled over can be a password that was typed
 * there.
 */
const harmless = new Set<string>([
  'BAD_INDENT',
  'BLOCK_AS_IMPLICIT_KEY',
  'BLOCK_IN_FLOW',
  'MISSING_CHAR',
  'MULTILINE_IMPLICIT_KEY',
  'TAB_AS_INDENT',
])

/**
 * Reads YAML 1.2. `substitute` is called with every string value (never with a key) and its place,
 * and its result takes the value's place. Throws `MistakesError` when the text is not YAML, or has
 * a tag, which could make something else of a value than it seems.
 */
export function readYaml(
  file: string,
  text: string,
  substitute: (value: string, place: Place) => string = (value) => value,
): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const mistakes: Mistake[] = []
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    if (code === 'DUPLICATE_KEY')
      mistakes.push({
        file,
        ...at(pos[0]),
        message: 'This key is there twice.',
        remedy: 'Keep one.',
      })
    else {
      const why = harmless.has(code) ? `: ${message}` : ''
      mistakes.push({ file, ...at(pos[0]), message: `This is not valid YAML${why}.` })
    }
  }
  visit(document, {
    Pair(_, { key }) {
      const plain = isScalar(key) && typeof key.value === 'string' && key.value !== '__proto__'
      // Validation would lose such a key without a word, and with it whatever it is a condition of.
      if (plain) return
      const [message, remedy] = ['This cannot be a key.', 'Write a text, in quotes if need be.']
      mistakes.push({ file, ...at(start(key)), message, remedy })
    },
    Alias(_, node) {
      if (!node.resolve(document))
        mistakes.push({ file, ...at(start(node)), message: 'This alias has no anchor before it.' })
    },
  })
  if (mistakes.some(({ message }) => message !== 'This key is there twice.'))
    throw new MistakesError(mistakes)

  visit(document, {
    Scalar(key, node) {
      if (key !== 'key' && typeof node.value === 'string')
        node.value = substitute(node.value, at(start(node)))
    },
  })
  return {
    file,
    value: toValue(document, file),
    mistakes,
    place: (path) => at(start(find(document, path).value)),
    placeWithin: (path, index) => {
      const { value } = find(document, path)
      return at(isScalar(value) ? offsetWithin(text, value, index) : start(value))
    },
    keyPlace: (path) => {
      const { key, value } = find(document, path)
      return at(start(key ?? value))
    },
  }
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    // What the parser throws when aliases of aliases would unfold to more than memory holds.
    if (!(cause instanceof ReferenceError)) throw cause
    throw new MistakesError([{ file, message: 'Its aliases unfold to too much.' }])
  }
}

const start = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0

/** The node at a path, or the deepest one on the way to it, with its key where it has one. */
function find(document: Document, path: readonly PropertyKey[]): { key?: unknown; value: unknown } {
  let found: { key?: unknown; value: unknown } = { value: document.contents }
  for (const step of path) {
    const node = isAlias(found.value) ? found.value.resolve(document) : found.value
    if (!isMap(node) && !isSeq(node)) break
    const next = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : { key: undefined, value: node.items[Number(step)] }
    if (!next?.value && !next?.key) break
    found = { key: next.key, value: next.value ?? next.key }
  }
  return found
}
