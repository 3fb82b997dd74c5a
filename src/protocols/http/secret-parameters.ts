import { Unknown } from '../../core/action.ts'
import { decoded } from './strict/strict-target.ts'

/**
 * Whether a parameter of a query holds a credential. Judged by its decoded name and never by its
 * value, or an agent could hide whatever it likes.
 */
export type IsSecret = (name: string) => boolean

/**
 * Names under which credentials are usually sent in queries: those of APIs, of OAuth, and of signed
 * URLs.
 */
export const usualSecretParameters: readonly string[] = [
  ...['key', '*api_key', '*access_key', '*subscription_key', '*private_key', 'hapikey'],
  ...['token', '*access_token', '*api_token', '*auth_token', '*bearer_token', '*csrf_token'],
  ...['*id_token', '*private_token', '*refresh_token', '*security_token', '*session_token'],
  ...['oauth_token', 'auth', 'authorization', 'bearer', 'jwt', '*assertion', 'code_verifier'],
  ...['*secret', '*password', 'passphrase', 'passwd', 'pwd', 'pass', 'otp', 'pin'],
  ...['sig', '*signature', 'hmac', '*session_id', 'session', 'sid', '*credentials'],
]

/**
 * What rules and the audit log see of such a parameter's value. Closed: it is `Unknown`, so no rule
 * can allow anything by it.
 */
export const secretValue = new Unknown('a secret, which is neither recorded nor shown')

/** Shown in place of a secret. No query contains a blank, so none can imitate this. */
const notShown = '(a secret, not shown)'

/**
 * Matches names in which `*` stands for anything. Only letters and digits count, in either case, so
 * `*api_key` matches `X-Api-Key`.
 */
export function secretParameters(names: readonly string[]): IsSecret {
  const patterns = names.map((name) => folded(name).replaceAll('*', '.*'))
  const secret = new RegExp(`^(?:${patterns.join('|')})$`)
  return names.length === 0 ? () => false : (name) => secret.test(folded(name).replaceAll('*', ''))
}

const folded = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9*]/g, '')

/**
 * A request target as it may be shown and recorded. What is sent, and covered by the digest, are
 * the bytes that came.
 */
export function shownTarget(target: string, isSecret: IsSecret): string {
  const mark = target.search(/[?#]/)
  if (mark === -1) return target
  const pieces = target.slice(mark + 1).split('&')
  const shown = pieces.map((piece) => shownParameter(piece, isSecret)).join('&')
  return `${target.slice(0, mark + 1)}${shown}`
}

/**
 * The value of a header as it may be shown and recorded. In `Referer`, browsers send the address
 * they came from, with its query.
 */
export function shownValue(name: string, value: string, isSecret: IsSecret): string {
  return name === 'referer' ? shownTarget(value, isSecret) : value
}

/**
 * One `name=value` of a query as it came, with a secret masked. Some servers also split at
 * semicolons, and a value can be an unencoded URL with parameters of its own. Each character is
 * looked at twice at most, whatever an agent sends.
 */
export function shownParameter(piece: string, isSecret: IsSecret): string {
  const whole = piece.indexOf('=')
  if (whole === -1) return piece
  const hidden = (equals: number, name: string): boolean =>
    equals < piece.length - 1 && isSecret(decoded(name) ?? name)
  if (hidden(whole, piece.slice(0, whole))) return masked(piece, whole)
  let begin = 0
  for (const part of piece.split(/[;?#]/)) {
    const equals = part.indexOf('=')
    if (equals !== -1 && hidden(begin + equals, part.slice(0, equals))) {
      return masked(piece, begin + equals)
    }
    begin += part.length + 1
  }
  return piece
}

const masked = (piece: string, equals: number) => `${piece.slice(0, equals + 1)}${notShown}`
