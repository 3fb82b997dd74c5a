import picomatch from 'picomatch'

/**
 * Whether a route (`GET /v1/**`) can match any request. A request whose path is not canonical is
 * refused as ambiguous before routes are matched.
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
    // The caller reports it as a mistake.
    return false
  }
}
