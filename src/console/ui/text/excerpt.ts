/**
 * The beginning of a long text, and how many characters of it are left out: what is cut says so.
 */
export interface Excerpt {
  readonly text: string
  /** Code points that are not in `text`; 0 if it is complete. */
  readonly more: number
}

/** At most `limit` code points. Makes no list of them: a body in the inbox can have a million. */
export function excerpt(text: string, limit: number): Excerpt {
  let characters = 0
  let end = 0
  for (const character of text) {
    if (characters < limit) end += character.length
    characters += 1
  }
  if (characters <= limit) return { text, more: 0 }
  return { text: text.slice(0, end), more: characters - limit }
}
