/**
 * The data that an action touches, as far as it is declared or known by name. Only names of things,
 * never personal data.
 */
export interface TouchedData {
  /** Data sets of the configuration. All lists here are sorted. */
  readonly datasets: readonly string[]
  readonly classes: readonly string[]
  /** `public.orders`, and `public.orders.total`; the first hundred of each. */
  readonly tables: readonly string[]
  readonly columns: readonly string[]
}

/** The use of a model, as its answer reports it. */
export type ModelUse = {
  readonly model?: string
  /** Tokens of the question, including those from a cache. */
  readonly tokens_in?: number
  readonly tokens_out?: number
  /** How many of `tokens_in` came from a cache. */
  readonly tokens_cached?: number
  /** Why the tokens are not known. */
  readonly unread?: string
}

/** The same on record, where what is empty is left out. */
export type DataUse = Partial<TouchedData> & ModelUse
