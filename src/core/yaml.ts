import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node } from 'yaml'
import { MistakesError, type Mistake } from './errors.ts'
import { offsetWithin } from './yaml-offset.ts'

export interface Place {
  /** Both count from 1. */
  readonly line: number
  readonly column: number
}

/** A YAML file that could be read: its values and their places. */
export interface YamlFile {
  readonly file: string
  readonly value: unknown
  /** The place of the value at this path, or of its closest existing ancestor. */
  place(path: readonly PropertyKey[]): Place
  /** The place of the character at `index` (from 0) of the text at this path. */
  placeWithin(path: readonly PropertyKey[], index: number): Place
  /** The place of the last key of this path. */
  keyPlace(path: readonly PropertyKey[]): Place
  /**
   * Mistakes that leave the rest readable. Later checks add their own, and all are thrown together.
   */
  readonly mistakes: Mistake[]
}

/** Codes of parser errors whose messages quote nothing of the file, which may be a password. */
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
 * and its result replaces the value. Throws a `MistakesError` when the text is not YAML, or has a
 * tag, which could make a value something else than it seems.
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
      // Validation would silently drop such a key, and with it the condition that it stands for.
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
    // Thrown by the parser when nested aliases would expand beyond reason.
    if (!(cause instanceof ReferenceError)) throw cause
    throw new MistakesError([{ file, message: 'Its aliases unfold to too much.' }])
  }
}

const start = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0

/** The node at a path, or the deepest one on the way to it, with its key if it has one. */
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
