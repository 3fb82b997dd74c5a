import { Unknown, type Action, type Attribute } from '../core/action.ts'

/**
 * Restores attributes that could not be computed, or parts of one, which are stored as
 * `{"unknown": why}`. Closed: if an agent sends exactly that as its JSON, it becomes `Unknown` too,
 * and nothing is worse than unknown.
 */
export function reviveAction(action: Action): Action {
  const attributes = Object.fromEntries(
    Object.entries(action.attributes).map(([protocol, values]) => [
      protocol,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, revive(value)])),
    ]),
  )
  return { ...action, attributes }
}

function revive(value: Attribute): Attribute {
  if (value instanceof Unknown || !isObject(value)) return value
  return (
    unknownOf(value) ??
    Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        part instanceof Unknown || !isObject(part) ? part : (unknownOf(part) ?? part),
      ]),
    )
  )
}

function isObject(value: Attribute): value is Exclude<Attribute, Unknown> & object {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function unknownOf(value: object): Unknown | null {
  const { unknown } = value as { unknown?: unknown }
  return typeof unknown === 'string' && Object.keys(value).length === 1
    ? new Unknown(unknown)
    : null
}
