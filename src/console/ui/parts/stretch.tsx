import type { ComponentChildren } from 'preact'
import { useCallback } from 'preact/hooks'
import { EndMark } from './end-mark.tsx'

/** A piece of the action that an approver has to have had on the screen, down to its end. */
export function Stretch({
  name,
  shown,
  onShown,
  children,
}: {
  name: string
  shown: boolean
  onShown: (name: string) => void
  children: ComponentChildren
}) {
  const seen = useCallback(() => onShown(name), [name, onShown])
  return (
    <div class="stretch" tabIndex={-1} data-unshown={shown ? undefined : ''}>
      {children}
      {!shown && <EndMark onSeen={seen} />}
    </div>
  )
}

/**
 * Brings the next piece that has not been on the screen into view; inside a long one, goes on by a
 * screen.
 */
export function showNextUnshown(): void {
  const next = document.querySelector<HTMLElement>('[data-unshown]')
  if (!next) return
  const { top, bottom } = next.getBoundingClientRect()
  next.focus({ preventScroll: true })
  if (top <= 1 && bottom > innerHeight) scrollBy({ top: innerHeight * 0.8 })
  else next.scrollIntoView({ block: 'start' })
}
