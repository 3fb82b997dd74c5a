const storageKey = 'sallyport.keys'

/** Single-letter keys can be turned off: they get in the way of speech input (WCAG 2.2, 2.1.4). */
export function keysEnabled(): boolean {
  return localStorage.getItem(storageKey) !== 'off'
}

export function enableKeys(on: boolean): void {
  localStorage.setItem(storageKey, on ? 'on' : 'off')
}

/**
 * The place that `j` (one on) or `k` (one back) leads to in a list, from nowhere to its first; it
 * stays at the ends.
 */
export function neighbour(key: 'j' | 'k', current: number, length: number): number {
  if (current < 0) return 0
  return Math.min(Math.max(current + (key === 'j' ? 1 : -1), 0), length - 1)
}
