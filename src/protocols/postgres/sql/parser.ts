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
 * PostgreSQL's parser in WebAssembly. A text that exhausts its stack damages the instance, which
 * after a few of those fails on ordinary SQL. So after any error but a refusal of the text, the
 * instance is thrown away, and a spare one takes its place at once.
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
      // Closed: whatever it was, the text has not been read. A RangeError means that the text's
      // nesting has used up the stack.
      return error instanceof RangeError
        ? refused('too-deep', 'Its expressions are nested too deeply to be read.')
        : refused('parser', 'The parser failed on it.')
    }
  }

  /** Whether there is a working instance. Without one, `parse` refuses every text. */
  get ready(): boolean {
    return this.#instance !== null || this.#spare !== null
  }

  /** Resolves when discarded instances have been replaced. */
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
      // Closed: without an instance no text can be read. The next text tries again.
      this.#spare = null
    }
  }
}

/**
 * Why a string is no text that could be parsed. The parser would stop at a NUL and miss what
 * follows; the server refuses one.
 */
function notText(text: string): string | null {
  if (text.includes('\0')) return 'It contains the character NUL.'
  return text.isWellFormed() ? null : 'It is not valid Unicode.'
}

async function instantiate(): Promise<PgQueryModule> {
  // The parser prints warnings about a client's text, such as escapes in it, which do not belong in
  // the gateway's log.
  return createModule({ print: () => undefined, printErr: () => undefined })
}

/** The largest tree, in estimated characters, that a text with repeated assignments may have. */
const largestTree = 16 * 1024 * 1024

/**
 * Whether the parser would multiply the text beyond measure (`copies.ts`). Only suspicious texts
 * are scanned.
 */
function multiplies(module: PgQueryModule, text: string): boolean {
  if (!/update/i.test(text) || !/\)\s*(=|--|\/\*)/.test(text)) return false
  const pointer = allocate(module, text)
  let result = 0
  try {
    result = module._wasm_scan(pointer)
    const answer = module.UTF8ToString(result)
    // An error message instead of an object. The parser has the same lexer, and will refuse the
    // text.
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
    // The members of libpg_query's PgQueryParseResult are the tree as JSON, stderr, and the error.
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
 * `error`: points at a PgQueryError, whose first member is the message and whose fifth is the
 * position, in characters from 1.
 */
function syntaxError(module: PgQueryModule, error: number, text: string): Parsed {
  const message = module.UTF8ToString(module.getValue(error, 'i32'))
  const position = module.getValue(error + 16, 'i32') - 1
  // No mistake in the text, but the parser guarding its own stacks.
  if (/^(stack depth|memory exhausted)/.test(message)) return refused('too-deep', message)
  return refused('syntax', message, position >= 0 && position <= text.length ? position : null)
}

function refused(kind: Unreadable['kind'], why: string, position: number | null = null): Parsed {
  return { tree: null, unreadable: { kind, why, position } }
}
