import { unseen } from './unseen.ts'

/**
 * Text from outside, so that a person sees all of it and nothing that displays it obeys it:
 * `⟨U+202E⟩` stands for such a character.
 */
export function visible(text: string): string {
  return text.replace(
    unseen,
    (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )
}

/**
 * The same for text of several lines. A carriage return is shown: it would let the rest of a line
 * overwrite its start.
 */
export function visibleLines(text: string): string[] {
  return text.split('\n').map(visible)
}
