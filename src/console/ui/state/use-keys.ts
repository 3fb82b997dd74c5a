import { useEffect } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { keysEnabled, neighbour } from './keys.ts'
import { approvalHref, inboxHref, type Route } from './route.ts'

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.closest('input:not([type=radio]), textarea, select') !== null

function moveFocus(key: 'j' | 'k'): void {
  const links = [...document.querySelectorAll<HTMLElement>('[data-item]')]
  const current = links.findIndex((link) => link === document.activeElement)
  links[neighbour(key, current, links.length)]?.focus()
}

/**
 * `j` and `k` go through what is listed, or from one waiting approval to the next; `u` goes back up. Nothing here votes: a decision takes a
 * button that says what it does.
 */
export function useKeys(route: Route, waiting: readonly Approval[]): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { key, ctrlKey, altKey, metaKey, target } = event
      if (ctrlKey || altKey || metaKey || typing(target) || !keysEnabled()) return
      if (key === 'u' && route.page === 'approval') location.hash = inboxHref
      if (key !== 'j' && key !== 'k') return
      if (route.page === 'inbox') {
        moveFocus(key)
      } else {
        const here = waiting.findIndex(({ id }) => id === route.id)
        const next = waiting[neighbour(key, here, waiting.length)]
        if (next) location.hash = approvalHref(next.id)
      }
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}
