import { CatalogueReader } from './read-catalogue.ts'
import type { Catalogue, CatalogueSource, Probe } from './statement.ts'

export interface CataloguesOptions {
  /** How long a snapshot is used, in milliseconds: what others change at the server is seen no later. */
  readonly maxAge?: number
  /** How long to wait after a failure before asking again, in milliseconds. */
  readonly pause?: number
  /** Called with each failure, for the log. */
  readonly onError?: (error: unknown) => void
}

/** How often a reading that DDL has overtaken is begun again at once. */
const tries = 3

/** The catalogue of one database, read through a connection of the gateway's own, once for all sessions. */
export class Catalogues implements CatalogueSource {
  readonly #reader: CatalogueReader
  readonly #options: Required<CataloguesOptions>
  // Counts what has passed that changes the catalogue. A snapshot counts for one generation only.
  #generation = 0
  // Replaced by #read() alone.
  #known: { readonly catalogue: Catalogue | null; generation: number; until: number } | null = null
  #reading: Promise<Catalogue | null> | null = null

  constructor(probe: Probe, options: CataloguesOptions = {}) {
    this.#reader = new CatalogueReader(probe)
    this.#options = { maxAge: 30_000, pause: 1_000, onError: () => undefined, ...options }
  }

  async current(): Promise<Catalogue | null> {
    const known = this.#known
    const fresh = known?.generation === this.#generation && performance.now() < known.until
    if (known && fresh) return known.catalogue
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  changed(): void {
    this.#generation++
  }

  async #read(): Promise<Catalogue | null> {
    for (let i = 0; i < tries; i++) {
      const generation = this.#generation
      const catalogue = await this.#ask()
      const lasts = catalogue ? this.#options.maxAge : this.#options.pause
      this.#known = { catalogue, generation, until: performance.now() + lasts }
      if (generation === this.#generation) return catalogue
    }
    // Closed: it changes faster than it can be read.
    return null
  }

  async #ask(): Promise<Catalogue | null> {
    try {
      return await this.#reader.read()
    } catch (error) {
      // Closed: without a catalogue, names are unknown.
      this.#options.onError(error)
      return null
    }
  }
}
