/**
 * The data that an action touches, as far as that was declared or is known by name. Names of
 * things, and nothing of anybody.
 */
export interface TouchedData {
  /** Data sets of the configuration, sorted, as everything here. */
  readonly datasets: readonly string[]
  readonly classes: readonly string[]
  /** `public.orders`, and `public.orders.total`; the first hundred of each. */
  readonly tables: readonly string[]
  readonly columns: readonly string[]
}

/** What a model was asked for, and answered, as its answer says. */
export type ModelUse = {
  readonly model?: string
  /** Of the question, those from a cache among them. */
  readonly tokens_in?: number
  readonly tokens_out?: number
  /** How many of `tokens_in` came from a cache. */
  readonly tokens_cached?: number
  /** Why tokens are not known. */
  readonly unread?: string
}

/** The same on record, without what there is none of. */
export type DataUse = Partial<TouchedData> & ModelUse
