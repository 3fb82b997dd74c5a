import { unseen } from '../core/unseen.ts'

/**
 * JSON as text: the same value to whatever reads it, and nothing in it that a terminal would obey
 * or a person not see. `JSON.stringify` leaves C1 controls, bidi controls and their like as they
 * are.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unseen, (character) =>
    character === '\n' ? character : escaped(character),
  )
}

/** RFC 8259 §7: by UTF-16 code units. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
}
