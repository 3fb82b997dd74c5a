/** What the gateway takes from a `Prefer` header (RFC 7240), and what is left for the upstream. */
export interface Preferences {
  /** Seconds of the preference `wait`; `null` where there is none that can be read. */
  readonly wait: number | null
  /** Whether it may be answered later, somewhere else (§4.1). */
  readonly respondAsync: boolean
  /**
   * The header without the preferences that are addressed to the gateway; `null` if nothing is
   * left.
   */
  readonly rest: string | null
}

export const noPreferences: Preferences = { wait: null, respondAsync: false, rest: null }

// RFC 7240 §2: a preference is a token with an optional value, then parameters; values may be
// quoted.
const preference = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g
const named = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?/

/**
 * Reads a `Prefer` header. Of several equal preferences the first counts (RFC 7240 §2). Malformed
 * ones are ignored, as the RFC demands.
 */
export function readPrefer(value: string): Preferences {
  let wait: number | null = null
  let respondAsync = false
  const rest: string[] = []
  for (const [text] of value.matchAll(preference)) {
    const [, name = '', argument = ''] = named.exec(text) ?? []
    switch (name.toLowerCase()) {
      case 'wait': {
        const seconds = argument.replace(/^"(.*)"$/, '$1')
        if (/^\d{1,9}$/.test(seconds)) wait ??= Number(seconds)
        break
      }
      case 'respond-async':
        respondAsync = true
        break
      default:
        if (text.trim() !== '') rest.push(text.trim())
    }
  }
  return { wait, respondAsync, rest: rest.length === 0 ? null : rest.join(', ') }
}
