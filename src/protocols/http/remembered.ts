/** Names of which an answer is kept. Agents send the same few again and again, and must not be able to fill the memory with others. */
const most = 1_000

/** The same question, asked once for each of the first names. What it throws is not kept. */
export function remembered<Answer>(ask: (name: string) => Answer): (name: string) => Answer {
  const known = new Map<string, Answer>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const answer = ask(name)
    if (known.size < most) known.set(name, answer)
    return answer
  }
}
