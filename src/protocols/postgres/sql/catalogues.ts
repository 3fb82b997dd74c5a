import { CatalogueReader } from './read-catalogue.ts'
import type { Catalogue, CatalogueSource, SessionProbe } from './statement.ts'

export interface CataloguesOptions {
  /**
   * Milliseconds for which a catalogue is used without asking the server: the longest that a change
   * made elsewhere can go unnoticed.
   */
  readonly window?: number
  /**
   * Milliseconds after which everything is read again, even if no watched catalogue has changed:
   * privileges that they do not hold may have.
   */
  readonly maxAge?: number
  /** Milliseconds to wait after a failure before asking again. */
  readonly pause?: number
  /** Called when reading begins to fail, for the log. */
  readonly onError?: (error: unknown) => void
}

/** How often a reading is tried when DDL overtakes it. */
const tries = 3
/**
 * SQLSTATEs for an object that was dropped (`could not open relation with OID`) or locked since it
 * was listed.
 */
const overtaken = /^(XX000|42P01|42704|42883|55P03|40P01)$/
/**
 * Questions may take one part in `share` of the server's time, unless that would leave a catalogue
 * unchecked for more than `longest` milliseconds.
 */
const share = 20
const longest = 1_000

interface Known {
  readonly catalogue: Catalogue | null
  readonly generation: number
  /**
   * When the server was asked (by `performance.now()`), and for how many milliseconds its answer is
   * used.
   */
  readonly at: number
  readonly lasts: number
}

/**
 * The catalogue of one database, read once for all sessions, over a connection of the gateway's
 * own.
 */
export class Catalogues implements CatalogueSource {
  readonly #reader: CatalogueReader
  readonly #options: Required<CataloguesOptions>
  // Counts catalogue changes that have passed through the gateway. A snapshot is good for one
  // generation only.
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
    // Read ahead of time, so that no statement waits in a steady stream of them.
    if (known.catalogue && age >= known.lasts / 2) void this.#readOnce()
    return known.catalogue
  }

  changed(): void {
    this.#generation++
  }

  async #readAnew(): Promise<Catalogue | null> {
    // A reading that is under way may have asked too early.
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
    // Closed: the catalogue changes faster than it can be read, so names are unknown.
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
