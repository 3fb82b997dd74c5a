/** The party that waits for an action, and may go away. An `AbortSignal` will do. */
export interface Caller {
  /** Whether the caller has gone away. */
  readonly aborted: boolean
  addEventListener(event: 'abort', listener: () => void): void
  removeEventListener(event: 'abort', listener: () => void): void
}
