/** Characters of a word and of a name. */
const longestWord = 64
const longestName = 200
/** And of what is found as a whole only. */
const shortestOpaque = 16

// Ids as a whole; runs of letters and digits, as ASCII has them; runs of everything beyond ASCII.
// The same in every locale.
const word = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]+|[^\0-\x7f]+/g
// Ids, hashes, numbers of cards: there are millions, so they are found as a whole only, and in no
// search for what words begin with.
const opaque = /^[0-9a-f-]+$/
const escaped = /\\(?:u[0-9a-f]{4}|.)/g
// Without one that was cut off where the text was.
const wholeEscape = /\\(?:u[0-9a-f]{4}|["\\bfnrt])/g

/** Names that we give: nearly every event has them, and nobody looks for them. */
export const ourNames =
  'attributes http sql subject issuer kind groups owner chain related claims details summary method host path query headers upgrade'.split(
    ' ',
  )

/**
 * What an event is found by: a word, or a name as a whole. Whoever writes it into SQL quotes it.
 */
export type Lexeme = string

/** The words of text in lower case, as JSON writes it. */
export function wordsIn(text: string): Lexeme[] {
  const plain = text.includes('\\') ? text.replaceAll(escaped, ' ') : text
  return (plain.match(word) ?? []).map(wordLexeme)
}

export function wordLexeme(one: string): Lexeme {
  const isOpaque = one.length >= shortestOpaque && opaque.test(one)
  return isOpaque ? `#${one.slice(0, longestWord)}` : one.slice(0, longestWord)
}

/** A name is looked up as it is, by the filter that asks for it. */
export function nameLexeme(field: string, value: string): Lexeme {
  // By characters, as PostgreSQL's left() counts.
  const cut = value.length > longestName ? [...value].slice(0, longestName).join('') : value
  return `${field}=${cut}`
}

/** One of the words that somebody looks for: as it was written, and what it is looked up by. */
export interface Term {
  /** In lower case, as JSON writes it. */
  readonly text: string
  /** The same without escapes. */
  readonly plain: string
  readonly whole: readonly Lexeme[]
  /** What the last word of it begins with; `null` where that is a whole word. */
  readonly begin: Lexeme | null
}

/**
 * Fewer characters than these begin too many words: such a beginning is looked for in the events
 * alone.
 */
const shortestBegin = 2

/** What is between spaces belongs together. Nothing in it means anything but itself. */
export function termsOf(q: string): Term[] {
  const written = q
    .toLowerCase()
    .split(/\s+/)
    .filter((one) => one !== '')
  return written.map((one) => {
    const text = JSON.stringify(one).slice(1, -1)
    const whole = wordsIn(text)
    const last = whole.at(-1)
    const goesOn = last !== undefined && text.endsWith(last)
    if (goesOn) whole.pop()
    const begin = goesOn && last.length >= shortestBegin && last.length < longestWord
    return { text, plain: unescaped(text), whole, begin: begin ? last : null }
  })
}

/**
 * Text in lower case, as JSON writes it, with one character for each escape: what follows a line
 * break begins a word, and the letter of `\\n` is none. A quote in it is NUL then, which no event
 * has, and never one of those around it.
 */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(wholeEscape, (one) =>
    one === '\\"' ? '\0' : (JSON.parse(`"${one}"`) as string),
  )
}

/** Whether it occurs in this `unescaped` text from the beginning of a word on. */
export function occursIn({ plain: wanted }: Term, text: string): boolean {
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    if (at === 0 || kindOf(wanted, 0) === 'none' || kindOf(wanted, 0) !== kindOf(text, at - 1))
      return true
  }
  return false
}

function kindOf(text: string, at: number): 'ascii' | 'beyond' | 'none' {
  const code = text.charCodeAt(at)
  if (code > 0x7f) return 'beyond'
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a) ? 'ascii' : 'none'
}
