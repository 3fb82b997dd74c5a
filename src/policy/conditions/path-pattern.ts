import type { Reading } from '../readings.ts'

/** One segment of a pattern: matches exactly one segment of a path. */
type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'affix'; readonly before: string; readonly after: string }

/**
 * `/v1/customers/:id`, `/v1/**`, `/files/*.csv`. Matching takes time proportional to the path: no
 * regular expression is involved.
 */
export class PathPattern {
  readonly #head: readonly Segment[]
  /** What comes after `**`; `null` without one. */
  readonly #tail: readonly Segment[] | null

  constructor(segments: Reading) {
    const stars = segments.indexOf('**')
    this.#head = (stars < 0 ? segments : segments.slice(0, stars)).map(segmentOf)
    this.#tail = stars < 0 ? null : segments.slice(stars + 1).map(segmentOf)
  }

  matches(path: Reading): boolean {
    const head = this.#head
    const tail = this.#tail
    if (tail === null) return path.length === head.length && matchAt(head, path, 0)
    if (path.length < head.length + tail.length) return false
    return matchAt(head, path, 0) && matchAt(tail, path, path.length - tail.length)
  }

  /** The literal that a path must have at this position, or `null`. */
  literalAt(position: number): string | null {
    const segment = this.#head[position]
    return segment?.kind === 'literal' ? segment.text : null
  }
}

function segmentOf(text: string): Segment {
  if (text === '*' || text.startsWith(':')) return { kind: 'any' }
  const star = text.indexOf('*')
  if (star < 0) return { kind: 'literal', text }
  return { kind: 'affix', before: text.slice(0, star), after: text.slice(star + 1) }
}

function matchAt(segments: readonly Segment[], path: Reading, from: number): boolean {
  for (let i = 0; i < segments.length; i++) {
    if (!matchSegment(segments[i]!, path[from + i]!)) return false
  }
  return true
}

function matchSegment(segment: Segment, text: string): boolean {
  switch (segment.kind) {
    case 'literal':
      return text === segment.text
    case 'any':
      return text !== ''
    case 'affix':
      return (
        text.length >= segment.before.length + segment.after.length &&
        text.startsWith(segment.before) &&
        text.endsWith(segment.after)
      )
  }
}
