import { Unknown, type Attribute } from '../../core/action.ts'
import type { Input } from '../input.ts'
import { either, type Condition, type Mode } from './condition.ts'
import { matchFields, type Wanted } from './fields.ts'

/** Explanations quote at most this much of what an agent sent. */
const quoted = 120

/** An attribute that is a JSON value, of which the rule names some fields. */
export function fieldsCondition(
  key: string,
  wanted: Wanted,
  mode: Mode,
  read: (input: Input) => Attribute | undefined,
): Condition {
  return {
    key,
    wants: inWords(wanted),
    ...(!Array.isArray(wanted) && { members: Object.keys(wanted) }),
    test: (input) => matchFields(wanted, read(input), mode),
    found: (input) => quote(read(input)),
    filings: [],
  }
}

function inWords(wanted: Wanted): string {
  if (Array.isArray(wanted)) return either(wanted.map((scalar) => JSON.stringify(scalar)))
  return Object.entries(wanted)
    .map(([field, inner]) => `${field}: ${inWords(inner)}`)
    .join('; ')
}

function quote(value: Attribute | undefined): string {
  if (value === undefined) return 'nothing'
  if (value instanceof Unknown) return `something unknown: ${value.unknown}`
  const text = JSON.stringify(value)
  return text.length > quoted ? `${text.slice(0, quoted)}…` : text
}
