/** A member of an object, and how it is written: `"name":value`. */
export interface Member {
  readonly name: string
  readonly text: string
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openings = [0x7b, 0x5b]
const closings = [0x7d, 0x5d]

/** What a character of JSON is, outside of texts. */
const other = 0
const begin = 1
const end = 2
const kinds = new Uint8Array(128)
for (const code of openings) kinds[code] = begin
for (const code of closings) kinds[code] = end

/**
 * The members of an object in canonical JSON (RFC 8785), in their order: an event is put together from several objects without reading and writing what is in them. `null` for what is
 * not written like that: somebody changed it.
 */
export function membersOf(json: string): Member[] | null {
  if (!json.startsWith('{"') || !json.endsWith('}') || json.includes('\n')) return null
  const members: Member[] = []
  const last = json.length - 1
  let before = ''
  for (let at = 1; at < last; at++) {
    const nameEnd = json.indexOf('":', at)
    const name = json.slice(at + 1, nameEnd)
    if (json.charCodeAt(at) !== quote || nameEnd === -1 || !/^\w+$/.test(name)) return null
    // Neither in another order, nor twice.
    if (name <= before) return null
    const start = at
    at = endOfValue(json, nameEnd + 2, last)
    members.push({ name, text: json.slice(start, at) })
    before = name
  }
  return members
}

/** Where the comma behind a value is, or the end of the object. */
function endOfValue(json: string, start: number, last: number): number {
  let depth = 0
  for (let at = start; at < last; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at)
    else if (code === comma && depth === 0) return at
    else {
      const kind = code < 128 ? kinds[code]! : other
      if (kind === begin) depth++
      else if (kind === end) depth--
    }
  }
  return last
}

/** Where the quote is that ends a string. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  for (;;) {
    const code = json.charCodeAt(at)
    // There is none: not a number.
    if (code === quote || code !== code) return at
    at += code === backslash ? 2 : 1
  }
}

/** The members of both, each in order. `null` when a name is in both. */
export function mergeMembers(some: readonly Member[], others: readonly Member[]): Member[] | null {
  const merged: Member[] = []
  let next = 0
  for (const member of some) {
    while (next < others.length && others[next]!.name < member.name) merged.push(others[next++]!)
    if (next < others.length && others[next]!.name === member.name) return null
    merged.push(member)
  }
  while (next < others.length) merged.push(others[next++]!)
  return merged
}
