import type { KnownResource } from './attributes.ts'

/** What policies can refer to. They are checked against it when they are loaded. */
export interface Known {
  readonly resources: readonly KnownResource[]
  /** Kinds of channels that are set up, besides the console: `slack`. */
  readonly channels?: readonly string[]
}
