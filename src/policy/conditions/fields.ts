import { Unknown, type Attribute } from '../../core/action.ts'
import type { JsonObject } from '../../core/json.ts'
import { combine, type Match, type Mode } from './condition.ts'

export type Scalar = string | number | boolean | null

/** What a rule wants of a JSON value: one of some scalars, or something of each of some fields. */
export type Wanted = readonly Scalar[] | { readonly [field: string]: Wanted }

/**
 * Compares what a rule lists with what an agent sent. In a list, everything (allow) or anything
 * (hold, deny) has to be listed. Where the two cannot be compared the answer is `unknown`, since it
 * is the upstream that gives such a value its meaning: a field that is absent, an empty list
 * (often: all of them), a value of a type that the rule does not list (`"1"` for `1`, an object for
 * a name).
 */
export function matchFields(wanted: Wanted, value: Attribute | undefined, mode: Mode): Match {
  if (value === undefined || value instanceof Unknown) return 'unknown'
  if (!Array.isArray(value)) return matchOne(wanted, value, mode)
  const items: readonly Attribute[] = value
  if (items.length === 0) return 'unknown'
  return combine(
    items.map((item) => matchOne(wanted, item, mode)),
    mode,
  )
}

function matchOne(wanted: Wanted, value: Attribute, mode: Mode): Match {
  if (isScalars(wanted)) return matchScalar(wanted, value, mode)
  if (!isObject(value)) return 'unknown'
  const matches = Object.entries(wanted).map(([field, inner]) =>
    matchFields(inner, Object.hasOwn(value, field) ? value[field] : undefined, mode),
  )
  // All fields that the rule names must fit, whatever the mode: they narrow it down together.
  return combine(matches, 'everything')
}

function matchScalar(wanted: readonly Scalar[], value: Attribute, mode: Mode): Match {
  const comparable = wanted.filter((scalar) => typeOf(scalar) === typeOf(value))
  if (comparable.length === 0) return 'unknown'
  if (mode === 'everything' || typeof value !== 'string') {
    return comparable.some((scalar) => scalar === value) ? 'yes' : 'no'
  }
  const name = value.toLowerCase()
  return comparable.some((scalar) => String(scalar).toLowerCase() === name) ? 'yes' : 'no'
}

function isScalars(wanted: Wanted): wanted is readonly Scalar[] {
  return Array.isArray(wanted)
}

function isObject(value: Attribute): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeOf(value: Attribute): string {
  return value === null ? 'null' : typeof value
}
