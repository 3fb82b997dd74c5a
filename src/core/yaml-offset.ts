import type { Scalar } from 'yaml'

/**
 * The offset in the file of the character at `index` of a scalar's value. Folding, indentation and
 * quoting change white space and double some characters, but keep everything else in order, so the
 * visible characters are matched one by one.
 */
export function offsetWithin(source: string, scalar: Scalar, index: number): number {
  const [start, end] = scalar.range ?? [0, 0]
  const value = String(scalar.value)
  const quoted = scalar.type === 'QUOTE_SINGLE'
  let at = contentStart(source, scalar, start)
  for (const char of value.slice(0, index)) {
    if (/\s/.test(char)) continue
    const found = source.indexOf(char, at)
    // The character is written as an escape sequence.
    if (found < 0 || found >= end) continue
    at = found + char.length
    if (quoted && char === "'") at += 1
  }
  while (at < end && /\s/.test(source[at]!)) at += 1
  return at
}

/** Where the content begins: after the opening quote, or after the header line of a block. */
function contentStart(source: string, scalar: Scalar, start: number): number {
  switch (scalar.type) {
    case 'QUOTE_SINGLE':
    case 'QUOTE_DOUBLE':
      return start + 1
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      return source.indexOf('\n', start) + 1
    default:
      return start
  }
}
