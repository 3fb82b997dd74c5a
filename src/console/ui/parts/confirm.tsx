import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface ConfirmProps {
  title: string
  /** What the button says that does it. */
  yes: string
  confirmed: () => void
  close: () => void
  children: ComponentChildren
}

/** Asks before what cannot be taken back. */
export function Confirm({ title, yes, confirmed, close, children }: ConfirmProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => ref.current!.showModal(), [])
  return (
    <dialog ref={ref} class="confirm" aria-labelledby={id} onClose={close}>
      <h2 id={id}>{title}</h2>
      {children}
      <form method="dialog" class="toolbar">
        <button>Cancel</button>
        <button type="button" class="deny" onClick={confirmed}>
          {yes}
        </button>
      </form>
    </dialog>
  )
}
