import picomatch from 'picomatch'

/**
 * Whether a route (`GET /v1/**`) can match any request. Those with other paths are refused as
 * ambiguous before any route is looked at.
 */
export function canMatch(route: string): boolean {
  const path = route.slice(route.indexOf(' ') + 1)
  return !/[%\\?#]|\/\/|\/\.{1,2}(\/|$)/.test(path) && balanced(path)
}

function balanced(glob: string): boolean {
  try {
    picomatch.makeRe(glob, { strictBrackets: true })
    return true
  } catch {
    // Whoever asks reports it as a mistake.
    return false
  }
}
