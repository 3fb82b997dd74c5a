/**
 * Everything that a terminal would obey, reorder or not show: controls and escape sequences, bidirectional and other format characters, fillers,
 * blanks that are not the blank, line separators, and code points that nobody has assigned (Unicode 16, general categories and
 * Default_Ignorable_Code_Point).
 */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/** Text from outside, so that a person sees all of it and the terminal obeys none of it: `⟨U+202E⟩` stands for such a character. */
export function visible(text: string): string {
  return text.replace(
    invisible,
    (character) => `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )
}

/** The same for text of several lines. A carriage return is shown: it would let the rest of a line overwrite its start. */
export function visibleLines(text: string): string[] {
  return text.split('\n').map(visible)
}
