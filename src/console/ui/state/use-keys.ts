import { useEffect } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { keysEnabled, neighbour } from './keys.ts'
import { approvalHref, inboxHref, pageHref, type Route } from './route.ts'

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.closest('input:not([type=radio], [type=checkbox]), textarea, select, dialog') !== null

function moveFocus(key: 'j' | 'k'): void {
  const links = [...document.querySelectorAll<HTMLElement>('[data-item]')]
  const current = links.findIndex((link) => link === document.activeElement)
  links[neighbour(key, current, links.length)]?.focus()
}

/** To a button, or to what has to be done before it can be pressed. */
function goTo(name: 'approve' | 'deny'): void {
  const button = document.querySelector<HTMLButtonElement>(`button[data-key=${name}]`)
  const missing = document.querySelector<HTMLElement>('button[data-key=unshown]')
  const target = button?.disabled ? missing : button
  target?.focus()
  target?.scrollIntoView({ block: 'center' })
}

function step(key: 'j' | 'k', route: Route, waiting: readonly Approval[]): void {
  if (route.page !== 'approval') {
    moveFocus(key)
    return
  }
  const here = waiting.findIndex(({ id }) => id === route.id)
  const next = waiting[neighbour(key, here, waiting.length)]
  if (next) location.hash = approvalHref(next.id)
}

/**
 * `j` and `k` go through what is listed, or from one waiting approval to the next; `u` goes back
 * up; `a` and `d` go to the button. Nothing here votes: a decision takes a button that says what it
 * does.
 */
export function useKeys(route: Route, waiting: readonly Approval[], help: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { key, ctrlKey, altKey, metaKey, target } = event
      if (ctrlKey || altKey || metaKey || typing(target) || !keysEnabled()) return
      if (key === '?') help()
      else if (key === '/') {
        event.preventDefault()
        document.querySelector<HTMLElement>('input[type=search]')?.focus()
      } else if (key === 'j' || key === 'k') step(key, route, waiting)
      else if (key === 'u' && route.page === 'approval') location.hash = inboxHref
      else if (key === 'u' && route.page === 'story') location.hash = pageHref('activity')
      else if (key === 'a' && route.page === 'approval') goTo('approve')
      else if (key === 'd' && route.page === 'approval') goTo('deny')
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}
