/**
 * The beginning of a long text, and how many characters of it are left out: what is cut says so.
 */
export interface Excerpt {
  readonly text: string
  /** Code points that are not in `text`; 0 if it is complete. */
  readonly more: number
}

/** At most `limit` code points. */
export function excerpt(text: string, limit: number): Excerpt {
  const characters = [...text]
  if (characters.length <= limit) return { text, more: 0 }
  return { text: characters.slice(0, limit).join(''), more: characters.length - limit }
}
