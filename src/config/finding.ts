/** Something that only two keys together, or a key and the machine, make a mistake. */
export interface Finding {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly remedy: string
}
