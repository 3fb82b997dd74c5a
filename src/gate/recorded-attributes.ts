import { createHash } from 'node:crypto'
import type { Attribute, Attributes } from '../core/action.ts'
import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'

/**
 * Characters of one attribute, as JSON, that are kept on record. Each refused request would else be
 * as large in the store as its sender likes.
 */
const most = 16 * 1024

const tooLarge = 'too large to be kept on record'

/**
 * The attributes of an action as they are kept on record. One that is larger than that is left out,
 * and says so: `{ unknown, bytes, sha256 }`, with the length and the hash of its JSON in UTF-8.
 * Whoever decides again by the record finds it unknown, as it is to them.
 */
export function recordedAttributes(attributes: Attributes): JsonObject {
  if (!Object.isFrozen(attributes)) return recordedAnew(attributes)
  const before = known.get(attributes)
  if (before) return before
  const kept = Object.freeze(recordedAnew(attributes))
  known.set(attributes, kept)
  return kept
}

// What is frozen is what many actions have in common: those of a statement that runs again and
// again.
const known = new WeakMap<Attributes, JsonObject>()

function recordedAnew(attributes: Attributes): JsonObject {
  // Nothing in it is other than what its JSON says: reading that back would give the same.
  if (isShortText(attributes)) return attributes as JsonObject
  const text = JSON.stringify(attributes)
  if (text.length <= most) return parseJson(text) as JsonObject
  const kept = (named: Readonly<Record<string, Attribute>>): JsonObject =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name, recorded(value)]))
  return Object.fromEntries(
    Object.entries(attributes).map(([protocol, named]) => [protocol, kept(named)]),
  )
}

/**
 * Whether all that is said is text, alone or by name, and little enough even where each character
 * is escaped, and each text has a name. So it is of most requests.
 */
function isShortText(attributes: Attributes): boolean {
  let size = 0
  const add = (name: string, value: unknown): boolean => {
    if (typeof value !== 'string') return false
    size += name.length + value.length
    return true
  }
  for (const named of Object.values(attributes)) {
    for (const name of Object.keys(named)) {
      const value = named[name]
      if (add(name, value)) continue
      if (typeof value !== 'object' || value === null) return false
      for (const key of Object.keys(value)) if (!add(key, (value as JsonObject)[key])) return false
    }
  }
  return size <= most / 16
}

/** Whether an attribute on record is one that was left out. */
export function isLeftOut(attribute: Attribute): boolean {
  if (attribute === null || typeof attribute !== 'object' || Array.isArray(attribute)) return false
  return 'unknown' in attribute && attribute.unknown === tooLarge && 'sha256' in attribute
}

function recorded(attribute: Attribute): JsonObject[string] {
  const text = JSON.stringify(attribute)
  if (text.length <= most) return parseJson(text) as JsonObject[string]
  const bytes = Buffer.from(text)
  return {
    unknown: tooLarge,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}
