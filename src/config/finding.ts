/** A mistake that shows only in two keys together, or in a key and this machine. */
export interface Finding {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly remedy: string
}
