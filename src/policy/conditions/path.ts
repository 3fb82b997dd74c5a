import type { Input } from '../input.ts'
import { fold, type Reading } from '../readings.ts'
import { either, type Condition, type Dimension, type Filing, type Mode } from './condition.ts'
import { PathPattern } from './path-pattern.ts'

/**
 * Paths rarely differ for the first time after this many segments; the index does not look further.
 */
const indexedSegments = 8

/**
 * `what.http.path`. An allow rule matches the path exactly as it is forwarded; a hold or deny rule
 * matches when any reading of it does (`readings.ts`).
 */
export function path(globs: readonly string[], mode: Mode): Condition {
  const patterns = globs.map((glob) => new PathPattern(split(glob, mode)))
  return {
    key: 'what.http.path',
    wants: either(globs),
    test(input) {
      const paths = pathsOf(input, mode)
      if (paths === null) return 'unknown'
      return paths.some((one) => patterns.some((pattern) => pattern.matches(one))) ? 'yes' : 'no'
    },
    found(input) {
      const sent = input.attribute('http', 'path')
      return typeof sent === 'string' ? sent : 'no path that is known'
    },
    filings: filingsOf(patterns, mode),
  }
}

function split(glob: string, mode: Mode): Reading {
  return mode === 'everything' ? glob.split('/') : fold(glob)
}

function pathsOf(input: Input, mode: Mode): readonly Reading[] | null {
  return mode === 'everything' ? input.exactPath : input.readings
}

function filingsOf(patterns: readonly PathPattern[], mode: Mode): readonly Filing[] {
  return dimensions[mode].flatMap((dimension, position) => {
    const literals = patterns.map((pattern) => pattern.literalAt(position))
    return literals.every((literal) => literal !== null) ? [{ dimension, keys: literals }] : []
  })
}

const dimensions: Record<Mode, readonly Dimension[]> = {
  everything: dimensionsOf('everything'),
  anything: dimensionsOf('anything'),
}

/** One for each position, so that `/tenants/:tenant/orders` is found by its third segment. */
function dimensionsOf(mode: Mode): readonly Dimension[] {
  return Array.from({ length: indexedSegments }, (_, position) => ({
    name: `what.http.path.${position}`,
    keysOf(input: Input) {
      const paths = pathsOf(input, mode)
      if (paths === null) return null
      const keys: string[] = []
      for (const { [position]: key } of paths) if (key !== undefined) keys.push(key)
      return keys
    },
  }))
}
