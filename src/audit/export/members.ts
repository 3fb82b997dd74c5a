/** A member of an object, and how it is written: `"name":value`. */
export interface Member {
  readonly name: string
  readonly text: string
  /** If set, the member is left out where the object has one of this name. */
  readonly otherwise?: true
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openings = [0x7b, 0x5b]
const closings = [0x7d, 0x5d]

/** Classes of JSON's characters outside of strings, and of those that names are made of. */
const begin = 1
const end = 2
const word = 3
const kinds = Uint8Array.from({ length: 128 }, (_, code) =>
  /\w/.test(String.fromCharCode(code)) ? word : 0,
)
for (const code of openings) kinds[code] = begin
for (const code of closings) kinds[code] = end

/**
 * The members of an object in canonical JSON (RFC 8785), in order, so that an event can be put
 * together from several objects without parsing what is in them. `null` for JSON that is not
 * canonical, which somebody must have changed.
 */
export function membersOf(json: string): Member[] | null {
  const members: Member[] = []
  const isCanonical = eachMember(json, (name, start, end) => {
    members.push({ name, text: json.slice(start, end) })
    return true
  })
  return isCanonical ? members : null
}

/**
 * Puts members, which have to be in order, into their places in an object. `null` if the object is
 * not canonical, or if a name is in both.
 */
export function withMembers(json: string, more: readonly Member[]): string | null {
  let written = '{'
  let copied = 1
  let next = 0
  const isCanonical = eachMember(json, (name, start) => {
    if (next === more.length || more[next]!.name > name) return true
    written += json.slice(copied, start)
    copied = start
    for (; next < more.length && more[next]!.name < name; next++) written += `${more[next]!.text},`
    if (next === more.length || more[next]!.name !== name) return true
    return more[next++]!.otherwise === true
  })
  if (!isCanonical) return null
  written += json.slice(copied, -1)
  for (; next < more.length; next++) written += `,${more[next]!.text}`
  return `${written}}`
}

/**
 * Reports where each member begins and ends, until told to stop. Returns whether the object has
 * nothing else and it was not stopped.
 */
function eachMember(
  json: string,
  take: (name: string, start: number, end: number) => boolean,
): boolean {
  if (!json.startsWith('{"') || !json.endsWith('}') || json.includes('\n')) return false
  const last = json.length - 1
  let before = ''
  for (let at = 1; at < last; at++) {
    const nameEnd = json.charCodeAt(at) === quote ? endOfName(json, at + 1) : -1
    if (nameEnd === -1) return false
    const name = json.slice(at + 1, nameEnd)
    // Canonical names are in order, and none comes twice.
    if (name <= before) return false
    const start = at
    at = endOfValue(json, nameEnd + 2, last)
    if (!take(name, start, at)) return false
    before = name
  }
  return true
}

/**
 * The place of the quote after a name of letters, digits and underscores, if a colon follows;
 * otherwise -1.
 */
function endOfName(json: string, start: number): number {
  let at = start
  while (kinds[json.charCodeAt(at)] === word) at++
  const isName = at > start && json.charCodeAt(at) === quote && json.charCodeAt(at + 1) === colon
  return isName ? at : -1
}

/** The place of the comma after a value, or of the end of the object. */
function endOfValue(json: string, start: number, last: number): number {
  let depth = 0
  for (let at = start; at < last; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at)
    else if (code === comma && depth === 0) return at
    else {
      const kind = kinds[code]
      if (kind === begin) depth++
      else if (kind === end) depth--
    }
  }
  return last
}

/** The place of the quote that ends a string, or the end of the text if there is none. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === backslash) backslashes++
    if (backslashes % 2 === 0) return at
  }
  return json.length
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
