/* oxlint-disable no-underscore-dangle -- the names that Emscripten gives */
import type { ParseResult } from 'libpg-query'
import createModule, { type PgQueryModule } from 'libpg-query/wasm/libpg-query.js'
import { copiesIn, type Token } from './copies.ts'
import type { Unreadable } from './statement.ts'

/** A text as PostgreSQL's own parser reads it, or why not. */
export type Parsed =
  | { readonly tree: ParseResult; readonly unreadable: null }
  | { readonly tree: null; readonly unreadable: Unreadable }

/**
 * PostgreSQL's parser in WebAssembly. A text that exhausts its stack leaves it damaged, and after a
 * few of those it fails on ordinary SQL: after any error but a refusal of the text the instance is
 * thrown away. A spare one takes its place at once.
 */
export class Parser {
  // Replaced by #replace() alone.
  #instance: PgQueryModule | null
  #spare: PgQueryModule | null = null
  #making: Promise<void>

  private constructor(instance: PgQueryModule) {
    this.#instance = instance
    this.#making = this.#makeSpare()
  }

  static async load(): Promise<Parser> {
    return new Parser(await instantiate())
  }

  /** Never throws. */
  parse(text: string): Parsed {
    const mistake = notText(text)
    if (mistake) return refused('text', mistake)
    if (this.#instance === null) this.#replace()
    if (this.#instance === null) {
      return refused('parser', 'The parser is being renewed. Send the statement again.')
    }
    try {
      if (multiplies(this.#instance, text)) {
        return refused('too-deep', 'It assigns to several columns at once, again and again.')
      }
      return parseWith(this.#instance, text)
    } catch (error) {
      this.#replace()
      // RangeError: the text's own nesting has used up the stack. Closed, as whatever else it was:
      // nobody has read the text.
      return error instanceof RangeError
        ? refused('too-deep', 'Its expressions are nested too deeply to be read.')
        : refused('parser', 'The parser failed on it.')
    }
  }

  /** There is an instance that works; `parse` refuses everything else. */
  get ready(): boolean {
    return this.#instance !== null || this.#spare !== null
  }

  /** When the instances that were thrown away have been replaced. */
  async settled(): Promise<void> {
    await this.#making
  }

  #replace(): void {
    this.#instance = this.#spare
    this.#spare = null
    this.#making = this.#making.then(() => this.#makeSpare())
  }

  async #makeSpare(): Promise<void> {
    try {
      this.#spare ??= await instantiate()
    } catch {
      // Closed: without an instance texts are unreadable. The next one that arrives tries again.
      this.#spare = null
    }
  }
}

/**
 * The server refuses NUL (its strings end there), and so would the parser stop reading there, and
 * miss what follows.
 */
function notText(text: string): string | null {
  if (text.includes('\0')) return 'It contains the character NUL.'
  return text.isWellFormed() ? null : 'It is not valid Unicode.'
}

async function instantiate(): Promise<PgQueryModule> {
  // What the parser prints (warnings about escapes) is about the client's text, and nothing that
  // the gateway's log is for.
  return createModule({ print: () => undefined, printErr: () => undefined })
}

/** Characters of a tree, estimated, that a text with such assignments may have. */
const largestTree = 16 * 1024 * 1024

/**
 * Whether the parser would multiply the text beyond measure (`copies.ts`). Only a text that may do
 * so is looked at in this way.
 */
function multiplies(module: PgQueryModule, text: string): boolean {
  if (!/update/i.test(text) || !/\)\s*(=|--|\/\*)/.test(text)) return false
  const pointer = allocate(module, text)
  let result = 0
  try {
    result = module._wasm_scan(pointer)
    const answer = module.UTF8ToString(result)
    // A message and no object: the parser refuses it by the same lexer.
    if (!answer.startsWith('{')) return false
    const { tokens } = JSON.parse(answer) as { tokens: Token[] }
    return copiesIn(tokens) * text.length * 40 > largestTree
  } finally {
    module._free(pointer)
    if (result !== 0) module._wasm_free_string(result)
  }
}

function allocate(module: PgQueryModule, text: string): number {
  const bytes = module.lengthBytesUTF8(text) + 1
  const pointer = module._malloc(bytes)
  module.stringToUTF8(text, pointer, bytes)
  return pointer
}

function parseWith(module: PgQueryModule, text: string): Parsed {
  const pointer = allocate(module, text)
  let result = 0
  try {
    result = module._wasm_parse_query_raw(pointer)
    // PgQueryParseResult of libpg_query: the tree as JSON, what went to stderr, the error.
    const error = module.getValue(result + 8, 'i32')
    if (error !== 0) return syntaxError(module, error, text)
    const tree = JSON.parse(module.UTF8ToString(module.getValue(result, 'i32'))) as ParseResult
    return { tree, unreadable: null }
  } finally {
    module._free(pointer)
    if (result !== 0) module._wasm_free_parse_result(result)
  }
}

/**
 * `error`: a PgQueryError, of which the first member is the message, and the fifth the position, in
 * characters from 1.
 */
function syntaxError(module: PgQueryModule, error: number, text: string): Parsed {
  const message = module.UTF8ToString(module.getValue(error, 'i32'))
  const position = module.getValue(error + 16, 'i32') - 1
  // Not a mistake in the text, but the parser's own guards of its stacks.
  if (/^(stack depth|memory exhausted)/.test(message)) return refused('too-deep', message)
  return refused('syntax', message, position >= 0 && position <= text.length ? position : null)
}

function refused(kind: Unreadable['kind'], why: string, position: number | null = null): Parsed {
  return { tree: null, unreadable: { kind, why, position } }
}
