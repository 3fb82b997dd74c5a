/**
 * How many answers are kept. The same few names come again and again, and nobody must be able to
 * fill the memory with others.
 */
const most = 1_000
/** The longest name that is kept, in characters. */
const longest = 100

/**
 * Caches the answers of a function for the first names that it is asked about, unless they are
 * unusually long. Errors are not cached.
 */
export function remembered<Answer>(ask: (name: string) => Answer): (name: string) => Answer {
  const known = new Map<string, Answer>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const answer = ask(name)
    if (known.size < most && name.length <= longest) known.set(name, answer)
    return answer
  }
}
