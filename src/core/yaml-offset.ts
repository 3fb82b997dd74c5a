import type { Scalar } from 'yaml'

/**
 * Where in the file the character is that a scalar's value has at `index`. Folding, indentation and
 * quoting change white space and double some characters, and leave everything else in its order: so
 * the visible characters are counted off one by one.
 */
export function offsetWithin(source: string, scalar: Scalar, index: number): number {
  const [start, end] = scalar.range ?? [0, 0]
  const value = String(scalar.value)
  const quoted = scalar.type === 'QUOTE_SINGLE'
  let at = contentStart(source, scalar, start)
  for (const char of value.slice(0, index)) {
    if (/\s/.test(char)) continue
    const found = source.indexOf(char, at)
    // Written as an escape sequence.
    if (found < 0 || found >= end) continue
    at = found + char.length
    if (quoted && char === "'") at += 1
  }
  while (at < end && /\s/.test(source[at]!)) at += 1
  return at
}

/** Behind the opening quote, or the header line of a block. */
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
