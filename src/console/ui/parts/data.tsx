import { excerpt } from '../text/excerpt.ts'
import { count } from '../text/count.ts'
import { pieces } from '../text/invisible.ts'

/** Marked text without a wrapper, for tokens and lines. */
export function Pieces({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece) =>
        piece.kind === 'text' ? piece.text : <span class="mark">{piece.label}</span>,
      )}
    </>
  )
}

/**
 * Text that somebody else wrote: inert, isolated from what stands around it, and with everything
 * invisible in it marked. Cut only where a limit is given, and then it says by how much.
 */
export function Data({ text, limit }: { text: string; limit?: number }) {
  const { text: shown, more } = limit === undefined ? { text, more: 0 } : excerpt(text, limit)
  return (
    <bdi class="data">
      <Pieces text={shown} />
      {more > 0 && <span class="more">… and {count(more, 'more character')}</span>}
    </bdi>
  )
}
