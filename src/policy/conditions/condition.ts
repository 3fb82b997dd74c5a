import type { Input } from '../input.ts'

/**
 * How a rule looks at a list. An allow rule has to cover everything that the action touches; a hold
 * or deny rule is set off by anything that it touches.
 */
export type Mode = 'everything' | 'anything'

/** `unknown`: the action does not say, or says it in a way that the rule cannot compare. */
export type Match = 'yes' | 'no' | 'unknown'

/** One key of a rule's `who` or `what`, ready to be tested. */
export interface Condition {
  /** As in the rule: `who.group`. */
  readonly key: string
  /** What the rule asks for, in words: `agents or services`. */
  readonly wants: string
  /**
   * The members of a JSON value that it looks at. Left out where it looks at all of it, or at
   * something else.
   */
  readonly members?: readonly string[]
  test(input: Input): Match
  /** What the action has instead, in words. For explanations only. */
  found(input: Input): string
  /**
   * Under which keys the index may file the rule. Empty where the condition does not narrow
   * anything down.
   */
  readonly filings: readonly Filing[]
}

/** A rule filed so is a candidate only for actions that have one of the keys in this dimension. */
export interface Filing {
  readonly dimension: Dimension
  readonly keys: readonly string[]
}

/** Two dimensions are the same when their names are. */
export interface Dimension {
  readonly name: string
  /**
   * The keys of one action. `null` where they are not known: closed, every rule filed in this
   * dimension is a candidate then.
   */
  keysOf(input: Input): readonly string[] | null
}

/**
 * Whether a condition that came out so lets its rule match: what is unknown never allows, and
 * always holds or denies.
 */
export function satisfied(match: Match, mode: Mode): boolean {
  return mode === 'everything' ? match === 'yes' : match !== 'no'
}

/**
 * Of several things, as the mode wants it. Of nothing at all, every thing is covered, and no thing
 * sets a rule off.
 */
export function combine(matches: readonly Match[], mode: Mode): Match {
  const decisive: Match = mode === 'everything' ? 'no' : 'yes'
  if (matches.includes(decisive)) return decisive
  if (matches.includes('unknown')) return 'unknown'
  return mode === 'everything' ? 'yes' : 'no'
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join()
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
