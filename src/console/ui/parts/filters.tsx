import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

/** On a phone behind a button, which says how many are set; elsewhere always there. */
export function Filters({ active, children }: { active: number; children: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button
        type="button"
        class="plain filters-switch"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        Filters{active > 0 && ` (${active})`}
      </button>
      <div class={open ? 'filters open' : 'filters'}>{children}</div>
    </>
  )
}
