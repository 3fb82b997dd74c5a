import { Unknown, type Action, type Attribute } from '../core/action.ts'

/**
 * An attribute that could not be computed, or a part of one, is stored as `{"unknown": why}`. If an
 * agent sends just that as its JSON, it becomes `Unknown` when it is read back: closed, since
 * nothing is worse than unknown.
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
