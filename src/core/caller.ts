/** Whoever waits for an action, and may go away meanwhile. An `AbortSignal` is one. */
export interface Caller {
  /** Whether it has gone away. */
  readonly aborted: boolean
  addEventListener(event: 'abort', listener: () => void): void
  removeEventListener(event: 'abort', listener: () => void): void
}
