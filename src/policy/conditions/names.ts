import type { Attribute } from '../../core/action.ts'
import type { Input } from '../input.ts'
import {
  combine,
  either,
  type Condition,
  type Dimension,
  type Match,
  type Mode,
} from './condition.ts'

/** How the names of an attribute may be written in a rule. */
export interface Spelling {
  /** Every form of a name: `public.orders`, `orders`. */
  readonly forms: (name: string) => readonly string[]
  /** Whether a pattern is about names of this form at all. */
  readonly fits: (pattern: string, form: string) => boolean
}

const plainly: Spelling = { forms: (name) => [name], fits: () => true }

/**
 * An attribute that is a name or a list of them: tables, columns, a tool. The rule lists names, of
 * which each may have one `*`. Hold and deny rules ignore case.
 */
export function names(
  key: string,
  wanted: readonly string[],
  mode: Mode,
  read: (input: Input) => Attribute | undefined,
  { forms, fits }: Spelling = plainly,
): Condition {
  const spelling = mode === 'everything' ? asWritten : caseless
  const patterns = wanted.map(spelling).map((text) => ({ text, matches: patternOf(text) }))
  const namesOf = (input: Input): readonly string[] | null =>
    list(read(input))?.map(spelling) ?? null
  const isWanted = (name: string): boolean =>
    forms(name).some((form) =>
      patterns.some(({ text, matches }) => fits(text, form) && matches(form)),
    )
  const dimension: Dimension = {
    name: key,
    keysOf(input) {
      const found = namesOf(input)
      // An action without any name here is covered by every allow rule, so the index must not leave
      // one out.
      return found?.length ? found.flatMap(forms) : null
    },
  }
  return {
    key,
    wants: either(wanted),
    test(input): Match {
      const found = namesOf(input)
      if (found === null) return 'unknown'
      return combine(
        found.map((name) => (isWanted(name) ? 'yes' : 'no')),
        mode,
      )
    },
    found: (input) => list(read(input))?.join(', ') ?? 'nothing that is known',
    filings: wanted.some((name) => name.includes('*'))
      ? []
      : [{ dimension, keys: wanted.map(spelling) }],
  }
}

function list(value: Attribute | undefined): readonly string[] | null {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return null
  const items: readonly unknown[] = value
  return items.every((item) => typeof item === 'string') ? items : null
}

function asWritten(name: string): string {
  return name
}

function caseless(name: string): string {
  return name.toLowerCase()
}

function patternOf(text: string): (name: string) => boolean {
  const star = text.indexOf('*')
  if (star < 0) return (name) => name === text
  const before = text.slice(0, star)
  const after = text.slice(star + 1)
  return (name) =>
    name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after)
}
