import { createHash } from 'node:crypto'
import type { Attribute, Attributes } from '../core/action.ts'
import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'

/**
 * Characters of one attribute, as JSON, that are kept on record. Otherwise each refused request
 * could be as large in the store as its sender likes.
 */
const most = 16 * 1024

const tooLarge = 'too large to be kept on record'

/**
 * The attributes of an action as they are kept on record. A larger one is replaced by
 * `{ unknown, bytes, sha256 }`, with the length and the hash of its JSON in UTF-8. A replay then
 * treats it as unknown.
 */
export function recordedAttributes(attributes: Attributes): JsonObject {
  if (!Object.isFrozen(attributes)) return recordedAnew(attributes)
  const before = known.get(attributes)
  if (before) return before
  const kept = Object.freeze(recordedAnew(attributes))
  known.set(attributes, kept)
  return kept
}

// Frozen attributes are shared by many actions, such as those of a statement that runs again and
// again.
const known = new WeakMap<Attributes, JsonObject>()

function recordedAnew(attributes: Attributes): JsonObject {
  // Plain text needs no copy: reading its JSON back would give the same.
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
 * Whether all values are texts, or objects of texts, and short enough even if JSON escaped every
 * character. Most requests are like that.
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

/** Whether an attribute on record stands for one that was too large. */
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
