const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const opening = new Set([0x7b, 0x5b])
const closing = new Set([0x7d, 0x5d])

/**
 * The members of an object in canonical JSON (RFC 8785), each by its name and as it is written: an event is put together from several objects without reading and writing
 * what is in them. `null` for what is not written like that: somebody changed it.
 */
export function membersOf(json: string): Map<string, string> | null {
  if (!json.startsWith('{"') || !json.endsWith('}')) return null
  const members = new Map<string, string>()
  const last = json.length - 1
  for (let at = 1; at < last; at += 1) {
    const nameEnd = json.indexOf('":', at)
    const name = json.slice(at + 1, nameEnd)
    if (json.charCodeAt(at) !== quote || nameEnd === -1 || !/^\w+$/.test(name)) return null
    const begin = nameEnd + 2
    at = endOfValue(json, begin, last)
    members.set(name, json.slice(begin, at))
  }
  return members
}

/** Where the comma behind a value is, or the end of the object. */
function endOfValue(json: string, begin: number, last: number): number {
  let depth = 0
  for (let at = begin; at < last; at += 1) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at)
    else if (code === comma && depth === 0) return at
    else if (opening.has(code)) depth += 1
    else if (closing.has(code)) depth -= 1
  }
  return last
}

/** Where the quote is that ends a string. */
function endOfString(json: string, begin: number): number {
  for (let at = json.indexOf('"', begin + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let escapes = at - 1
    while (json.charCodeAt(escapes) === backslash) escapes -= 1
    if ((at - escapes) % 2 === 1) return at
  }
  return json.length
}
