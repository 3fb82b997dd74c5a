import type { KnownResource } from './attributes.ts'

/** A data set of the configuration, as far as policies need to know it. */
export interface KnownDataset {
  readonly name: string
  readonly classes: readonly string[]
}

/** What policies can refer to. They are checked against it when they are loaded. */
export interface Known {
  readonly resources: readonly KnownResource[]
  /** What `usage` can be counted over. */
  readonly datasets?: readonly KnownDataset[]
  /**
   * Channels that are set up, besides the console: `webhook:siem`, or `slack:` where a place in it
   * has to follow.
   */
  readonly channels?: readonly string[]
  /**
   * The policies were checked where they were written, and may refer to what is not here. A rule
   * about a resource that is not here decides nothing here: no action on it can come here.
   */
  readonly elsewhere?: boolean
}
