import { ambiguous } from './ambiguous.ts'

/** The target of a request, in the bytes that came. */
export interface Target {
  readonly path: string
  /** Without the question mark; `null` where there is none. */
  readonly query: string | null
}

/** The most characters. A longer target is refused before anything looks at it. */
const longest = 8192

// RFC 3986 §3.3 and §3.4. In a query, clients that follow the URL Standard leave a few more
// characters unencoded: []{}|^`
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\w\-.~!$&'()*+,=:@]+)+\/?$/
const pathCharacters = /^[\w\-.~!$&'()*+,=:@/%]*$/
const queryCharacters = /^[\w\-.~!$&'()*+,;=:@/?%[\]{}|^`]*$/
const brokenTriplet = /%(?![0-9A-Fa-f]{2})/

/** Bytes that must not be percent-encoded in a path, and what each would hide. */
const hidden: readonly { readonly triplet: RegExp; readonly what: string }[] = [
  { triplet: /%2f/i, what: 'an encoded slash' },
  { triplet: /%5c/i, what: 'an encoded backslash' },
  { triplet: /%2e/i, what: 'an encoded dot' },
  { triplet: /%3b/i, what: 'an encoded semicolon' },
  { triplet: /%(?:[01][0-9a-f]|7f)/i, what: 'an encoded control character' },
  { triplet: /%25[0-9a-f]{2}/i, what: 'a percent sign that is encoded twice' },
  {
    triplet: /%(?:3\d|[46][1-9a-f]|[57][0-9a]|2d|5f|7e)/i,
    what: 'an encoded character that needs no encoding (RFC 3986 §2.3)',
  },
]

/** Parameters that make some servers run another method than policy saw. */
const methodOverrides: ReadonlySet<string> = new Set([
  '$httpmethod',
  '_httpmethod',
  '_method',
  'x-http-method',
  'x-http-method-override',
])

/**
 * Splits a request target (RFC 9112 §3.2.1), and refuses every form, spelling and character that a
 * server may read differently. Nothing is normalised: what passes is forwarded as it is. Throws
 * `ambiguous-request`.
 */
export function checkTarget(target: string): Target {
  if (target.length > longest) throw ambiguous(`The target has more than ${longest} characters.`)
  if (!target.startsWith('/')) {
    throw ambiguous('The target has to be a path: not a whole URL, an authority or an asterisk.')
  }
  if (target.includes('#')) throw ambiguous('The target has a fragment.')
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? null : target.slice(mark + 1)
  if (path !== '/' && !plainPath.test(path)) checkPath(path)
  if (query !== null) checkQuery(query)
  return { path, query }
}

function checkPath(path: string): void {
  if (path.includes('//')) throw ambiguous('The path has an empty segment (//).')
  if (path.includes('\\')) throw ambiguous('The path has a backslash.')
  if (path.includes(';')) throw ambiguous('The path has a semicolon, which some servers cut off.')
  if (!pathCharacters.test(path)) throw ambiguous('The path has a character that URLs cannot have.')
  if (brokenTriplet.test(path)) throw ambiguous('The path has a percent sign without two digits.')
  for (const { triplet, what } of hidden) {
    if (triplet.test(path)) throw ambiguous(`The path has ${what}.`)
  }
  if (/\/\.{1,2}(?:\/|$)/.test(path)) throw ambiguous('The path has a dot segment.')
  if (decoded(path) === null) throw ambiguous('The path is not valid UTF-8 when decoded.')
}

function checkQuery(query: string): void {
  if (!queryCharacters.test(query)) {
    throw ambiguous('The query has a character that URLs cannot have.')
  }
  if (brokenTriplet.test(query)) throw ambiguous('The query has a percent sign without two digits.')
  if (query.includes('%00')) throw ambiguous('The query has an encoded NUL.')
  for (const piece of query.split(/[&;]/)) {
    const name = decoded(piece.split('=', 1)[0]!)?.toLowerCase()
    if (name !== undefined && methodOverrides.has(name)) {
      throw ambiguous(`The parameter ${name} makes some servers run another method. Send that one.`)
    }
  }
}

/** Percent-decodes a text (RFC 3986 §2.1); `null` where the bytes are not UTF-8. */
export function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}
