import { unseen } from './unseen.ts'

/**
 * Makes text from outside visible, so that a person sees all of it and no display obeys it:
 * `⟨U+202E⟩` stands for such a character.
 */
export function visible(text: string): string {
  return text.replace(
    unseen,
    (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )
}

/**
 * Does the same for each line of a text. A carriage return is shown too, since it would let the
 * rest of a line overwrite its start.
 */
export function visibleLines(text: string): string[] {
  return text.split('\n').map(visible)
}
