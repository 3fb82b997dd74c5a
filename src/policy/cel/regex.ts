import { RE2JS, RE2JSException } from 're2js'

// Patterns are literals in policy files, checked at load, so this holds no more than the policies
// ever loaded.
const compiled = new Map<string, RE2JS>()

/**
 * `text.matchesRe2('^[a-z]+$')`, anywhere in the text unless anchored: CEL's own `matches`, whose
 * JavaScript engine takes exponential time on some texts, on an engine whose time is linear in the
 * text.
 */
export function matchesRe2(text: string, pattern: string): boolean {
  return compileRegex(pattern).test(text)
}

/**
 * Throws `RE2JSException` for what RE2 does not know, which includes everything that needs
 * backtracking.
 */
function compileRegex(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known) return known
  const regex = RE2JS.compile(pattern)
  compiled.set(pattern, regex)
  return regex
}

/** What is wrong with a pattern, or `null`. */
export function regexMistake(pattern: string): string | null {
  try {
    compileRegex(pattern)
    return null
  } catch (error) {
    if (error instanceof RE2JSException) return error.message
    throw error
  }
}
