import { ambiguous } from './ambiguous.ts'
import { overridesRequest, repeatable } from '../header-names.ts'
import type { Header } from '../header.ts'
import { remembered } from '../remembered.ts'

/** The most header lines of a request. */
const most = 200

/** What a Connection header may name without removing an end-to-end header. */
const connectionOptions = new Set([
  'close',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
])

/**
 * Turns header lines as they came, `[name, value, name, value, …]`, into headers with lower-case
 * names. Refuses what servers read differently: repeated headers, names that become other names
 * elsewhere, and headers that override the request itself. Throws `ambiguous-request`.
 */
export function checkHeaders(raw: readonly string[]): Header[] {
  if (raw.length > most * 2) throw ambiguous(`The request has more than ${most} headers.`)
  const headers: Header[] = []
  const seen = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = checkedName(raw[i]!)
    const value = raw[i + 1]!
    if (seen.has(name) && !repeatable.has(name)) {
      throw ambiguous(`The header ${name} is there more than once.`)
    }
    if (name === 'connection') checkConnection(value)
    seen.add(name)
    headers.push({ name, value })
  }
  return headers
}

/** The name in lower case. Throws `ambiguous-request`. */
const checkedName = remembered((raw) => {
  const name = raw.toLowerCase()
  // X_User and X.User become X-User in CGI, WSGI and the like, and so would bypass every check of
  // X-User.
  if (!/^[a-z0-9-]+$/.test(name)) {
    throw ambiguous(
      'A header name may have letters, digits and dashes; some servers read others as dashes.',
    )
  }
  if (overridesRequest(name)) {
    throw ambiguous(
      `The header ${name} makes some servers run another request. Send that request itself.`,
    )
  }
  return name
})

/**
 * `Connection: authorization` would make a proxy drop the credential that comes after it (RFC 9110
 * §7.6.1).
 */
function checkConnection(value: string): void {
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase()
    if (name !== '' && !connectionOptions.has(name)) {
      throw ambiguous('The Connection header names a header that is not hop-by-hop.')
    }
  }
}
