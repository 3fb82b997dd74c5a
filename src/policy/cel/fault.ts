/** One mistake in an expression. */
export interface Fault {
  readonly message: string
  readonly remedy?: string
  /** From 0, in characters of the expression. */
  readonly offset: number
}
