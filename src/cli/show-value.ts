import type { JsonValue } from '../core/json.ts'
import { visible, visibleLines } from '../core/visible.ts'

/**
 * A JSON value as indented lines, whole. Text of several lines is shown line by line behind a bar,
 * which nothing in the text can leave: what an agent sent can never look like a line of ours.
 */
export function showValue(value: JsonValue, indent = '  '): string[] {
  const line = oneLine(value)
  if (line !== undefined) return [`${indent}${line}`]
  if (typeof value === 'string') return visibleLines(value).map((text) => `${indent}│ ${text}`)
  return Object.entries(value as object).flatMap(([key, inner]: [string, JsonValue]) => {
    const label = Array.isArray(value) ? '-' : `${visible(key)}:`
    const beside = Array.isArray(value) ? (namedValue(inner) ?? oneLine(inner)) : oneLine(inner)
    return beside === undefined
      ? [`${indent}${label}`, ...showValue(inner, `${indent}  `)]
      : [`${indent}${label} ${beside}`]
  })
}

/**
 * Text that needs quotes: it could be taken for another value, or begins or ends with what nobody
 * sees.
 */
const needsQuotes = /^$|^\s|\s$|^(true|false|null|-?\d.*)$|^["[{│]/

function oneLine(value: JsonValue): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\n')) return undefined
    const text = visible(value)
    return needsQuotes.test(text) ? `"${text}"` : text
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (Object.keys(value).length > 0) return undefined
  return Array.isArray(value) ? '[]' : '{}'
}

/** Headers and the like are lists of names and values, which read better as such. */
function namedValue(value: JsonValue): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, value: inner, ...others } = value as Readonly<Record<string, JsonValue>>
  if (typeof name !== 'string' || inner === undefined || Object.keys(others).length > 0)
    return undefined
  const beside = oneLine(inner)
  return beside === undefined ? undefined : `${visible(name)}: ${beside}`
}
