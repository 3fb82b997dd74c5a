import type { KnownResource } from './attributes.ts'

/** What policies can refer to. They are checked against it when they are loaded. */
export interface Known {
  readonly resources: readonly KnownResource[]
  /** Channels that are set up, besides the console: `webhook:siem`, or `slack:` where a place in it has to follow. */
  readonly channels?: readonly string[]
}
