import type { Mode } from './conditions/condition.ts'
import type { Input } from './input.ts'

/**
 * `:name` in a path, where a condition can name it. What CEL takes for something of its own is not
 * one.
 */
const parameter = /^:(?!constructor$)([a-z][a-z0-9_]*)$/i

/** Values by name. */
type Bound = Readonly<Record<string, string>>

/**
 * What the `:name` segments of a rule's paths stand for in the path of an action: `params` in its
 * condition. Values are decoded, so that one spelling is as good as another. Where no path of the
 * rule fits, there are none, and a condition that reads one fails: closed.
 */
export class PathParameters {
  /** Those that every path of the rule has. */
  readonly names: readonly string[]
  readonly #patterns: readonly (readonly string[])[]
  readonly #mode: Mode

  constructor(globs: readonly string[], mode: Mode) {
    this.#mode = mode
    this.#patterns = globs.map((glob) => this.#segments(glob))
    const [first = [], ...rest] = this.#patterns.map(namesIn)
    this.names = first.filter((name) => rest.every((names) => names.includes(name)))
  }

  /**
   * Whether a condition is true of them. Where several paths of the rule fit, it has to be true of
   * each in an allow rule, and of any in the others.
   */
  test(input: Input, condition: (parameters: Bound) => boolean): boolean {
    const all = this.#bind(input)
    return this.#mode === 'everything' ? all.every(condition) : all.some(condition)
  }

  #bind(input: Input): readonly Bound[] {
    const path = input.attribute('http', 'path')
    const segments = typeof path === 'string' ? this.#segments(path) : null
    const fitting = segments ? this.#patterns.filter((one) => this.#fits(one, segments)) : []
    return fitting.length > 0 ? fitting.map((pattern) => valuesIn(pattern, segments!)) : [{}]
  }

  /**
   * As the condition on the path takes it: to the letter in allow rules, in its widest reading in
   * the others.
   */
  #segments(path: string): readonly string[] {
    const segments = path.split('/')
    return this.#mode === 'everything' ? segments : segments.filter((segment) => segment !== '')
  }

  #fits(pattern: readonly string[], segments: readonly string[]): boolean {
    const star = pattern.indexOf('**')
    if (star < 0) return pattern.length === segments.length && this.#sameAt(pattern, segments)
    const tail = pattern.slice(star + 1)
    return (
      segments.length >= pattern.length - 1 &&
      this.#sameAt(pattern.slice(0, star), segments) &&
      this.#sameAt(tail, segments.slice(segments.length - tail.length))
    )
  }

  #sameAt(pattern: readonly string[], segments: readonly string[]): boolean {
    return pattern.every(
      (text, index) => text.startsWith(':') || this.#same(text, segments[index]!),
    )
  }

  #same(text: string, segment: string): boolean {
    const [wanted, found] =
      this.#mode === 'everything'
        ? [text, segment]
        : [text.toLowerCase(), (decoded(segment) ?? segment).toLowerCase()]
    const star = wanted.indexOf('*')
    if (star < 0) return wanted === found
    const [before, after] = [wanted.slice(0, star), wanted.slice(star + 1)]
    return (
      found.length >= before.length + after.length &&
      found.startsWith(before) &&
      found.endsWith(after)
    )
  }
}

function valuesIn(pattern: readonly string[], segments: readonly string[]): Bound {
  const star = pattern.indexOf('**')
  return Object.fromEntries(
    pattern.flatMap((text, index) => {
      const name = parameter.exec(text)?.[1]
      // Behind `**` positions count from the end.
      const at = star >= 0 && index > star ? segments.length - pattern.length + index : index
      const value = name && decoded(segments[at]!)
      return name && value ? [[name, value]] : []
    }),
  )
}

function namesIn(pattern: readonly string[]): readonly string[] {
  return pattern.flatMap((text) => parameter.exec(text)?.[1] ?? [])
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    // Closed: there is no parameter then, and a condition that reads it fails.
    return null
  }
}
