import { CatalogueReader } from './read-catalogue.ts'
import type { Catalogue, CatalogueSource, SessionProbe } from './statement.ts'

export interface CataloguesOptions {
  /**
   * How long what is known is used without a question to the server, in milliseconds: what others
   * change there is seen no later.
   */
  readonly window?: number
  /**
   * How long a snapshot lasts at most, in milliseconds, even if nothing has changed in the
   * catalogue: rights that it does not hold may have.
   */
  readonly maxAge?: number
  /** How long to wait after a failure before asking again, in milliseconds. */
  readonly pause?: number
  /** Called when it begins to fail, for the log. */
  readonly onError?: (error: unknown) => void
}

/** How often a reading that DDL has overtaken is begun again at once. */
const tries = 3
/**
 * What the server says of a view or table that has gone since it was listed
 * (`could not open relation with OID`), or that somebody has locked since.
 */
const overtaken = /^(XX000|42P01|42704|42883|55P03|40P01)$/
/**
 * Of the server's time, questions may take one part in so many, unless that makes them wait for
 * longer than this, in milliseconds.
 */
const share = 20
const longest = 1_000

interface Known {
  readonly catalogue: Catalogue | null
  readonly generation: number
  /** When the server was asked, and how long what it said is used. */
  readonly at: number
  readonly lasts: number
}

/**
 * The catalogue of one database, read through a connection of the gateway's own, once for all
 * sessions.
 */
export class Catalogues implements CatalogueSource {
  readonly #reader: CatalogueReader
  readonly #options: Required<CataloguesOptions>
  // Counts what has passed that changes the catalogue. A snapshot counts for one generation only.
  #generation = 0
  // Replaced by #read() alone.
  #known: Known | null = null
  #reading: Promise<Catalogue | null> | null = null
  #renewed = -Infinity
  #fails = false

  constructor(probe: SessionProbe, options: CataloguesOptions = {}) {
    this.#reader = new CatalogueReader(probe)
    const defaults = { window: 200, maxAge: 30_000, pause: 1_000, onError: () => undefined }
    this.#options = { ...defaults, ...options }
  }

  current(anew = false): Catalogue | null | Promise<Catalogue | null> {
    if (anew) return this.#readAnew()
    const known = this.#known
    if (known?.generation !== this.#generation) return this.#readOnce()
    const age = performance.now() - known.at
    if (age >= known.lasts) return this.#readOnce()
    // Ahead of time: where statements come all the time, none of them waits for this.
    if (known.catalogue && age >= known.lasts / 2) void this.#readOnce()
    return known.catalogue
  }

  changed(): void {
    this.#generation++
  }

  async #readAnew(): Promise<Catalogue | null> {
    // One that is under way may have asked too early.
    await this.#reading
    return this.#readOnce()
  }

  #readOnce(): Promise<Catalogue | null> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<Catalogue | null> {
    for (let i = 0; i < tries; i++) {
      const generation = this.#generation
      const at = performance.now()
      const catalogue = await this.#ask(i < tries - 1)
      if (catalogue === 'overtaken') continue
      const { window, pause } = this.#options
      const took = performance.now() - at
      const lasts = catalogue ? Math.max(window, Math.min(took * share, longest)) : pause
      this.#known = { catalogue, generation, at, lasts }
      if (generation === this.#generation) return catalogue
    }
    // Closed: it changes faster than it can be read.
    return null
  }

  async #ask(again: boolean): Promise<Catalogue | null | 'overtaken'> {
    const now = performance.now()
    const anew = now - this.#renewed >= this.#options.maxAge
    const moved = this.#known?.generation !== this.#generation
    try {
      const catalogue = await this.#reader.read({ anew, moved })
      if (anew) this.#renewed = now
      this.#fails = false
      return catalogue
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (again && overtaken.test(code)) return 'overtaken'
      // Closed: without a catalogue, names are unknown.
      if (!this.#fails) this.#options.onError(error)
      this.#fails = true
      return null
    }
  }
}
