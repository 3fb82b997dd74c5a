import { Unknown, type Attribute } from '../../core/action.ts'
import { secretValue, shownParameter, type IsSecret } from './secret-parameters.ts'
import { decoded } from './strict/strict-target.ts'

/** The most parameters of a query. */
const most = 1000

interface Parameter {
  readonly name: string
  readonly value: string
}

/**
 * The parameters of a query (URL Standard, §5.1), by name: a text, or a list where the name ends in
 * `[]`. `Unknown` where servers differ: a repeated name, a semicolon, bytes that are not UTF-8. Of
 * a secret parameter only the name is there.
 */
export function readQuery(query: string | null, isSecret: IsSecret): Attribute {
  if (query === null || query === '') return {}
  if (query.includes(';'))
    return new Unknown('the query has a semicolon, which some servers split at')
  const pieces = query.split('&').filter((piece) => piece !== '')
  if (pieces.length > most) return new Unknown(`the query has more than ${most} parameters`)

  const values = new Map<string, string | string[] | Unknown>()
  const folded = new Set<string>()
  for (const piece of pieces) {
    const parameter = readParameter(piece)
    if (!parameter) return new Unknown('the query is not valid UTF-8 when decoded')
    const { name, value: text } = parameter
    const value = shownParameter(piece, isSecret) === piece ? text : secretValue
    const list = name.endsWith('[]') ? values.get(name) : undefined
    if (list !== undefined) {
      values.set(name, Array.isArray(list) && value === text ? [...list, value] : secretValue)
      continue
    }
    const key = name.replace(/\[\]$/, '').toLowerCase()
    if (folded.has(key)) return new Unknown(`the query parameter ${name} is there more than once`)
    folded.add(key)
    values.set(name, name.endsWith('[]') && value === text ? [value] : value)
  }
  // Secrets come last, because CEL takes the type of a map from its first entry.
  const known = [...values].filter(([, value]) => value !== secretValue)
  const secret = [...values].filter(([, value]) => value === secretValue)
  return Object.fromEntries([...known, ...secret])
}

function readParameter(piece: string): Parameter | null {
  const equals = piece.indexOf('=')
  const name = decoded((equals === -1 ? piece : piece.slice(0, equals)).replaceAll('+', ' '))
  const value = decoded((equals === -1 ? '' : piece.slice(equals + 1)).replaceAll('+', ' '))
  return name === null || value === null ? null : { name, value }
}
