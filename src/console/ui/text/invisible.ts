import { unseen } from '../../../core/unseen.ts'

/**
 * A stretch of text as it is, or a mark in the place of characters that would not be seen as what
 * they are.
 */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'mark'; readonly label: string }

function label(character: string, times: number): string {
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return times === 1 ? `⟨U+${code}⟩` : `⟨U+${code} ×${times}⟩`
}

/**
 * Text that somebody else wrote, with nothing in it that could hide or reorder anything: ⟨U+202E⟩
 * in the place of the character, ⟨U+200B ×40⟩ in the place of forty in a row. Nothing is lost.
 */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let end = 0
  let run = { character: '', times: 0, at: -1 }
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (index > end) found.push({ kind: 'text', text: text.slice(end, index) })
    const goesOn = character === run.character && run.at === found.length - 1
    run = goesOn ? { ...run, times: run.times + 1 } : { character, times: 1, at: found.length }
    found[run.at] = { kind: 'mark', label: label(character, run.times) }
    end = index + character.length
  }
  if (end < text.length) found.push({ kind: 'text', text: text.slice(end) })
  return found
}

/** The same in one string, for places that take no elements: titles, labels, announcements. */
export function visible(text: string): string {
  return pieces(text)
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.label))
    .join('')
}
