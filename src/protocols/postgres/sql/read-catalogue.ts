import { changesSince, type Look, type Mark } from './catalogue-changes.ts'
import { dataOf } from './catalogue-data.ts'
import { readFacts, renewFacts, type Facts } from './catalogue-facts.ts'
import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import type { Catalogue, Probe } from './statement.ts'

let versions = 0

interface Known {
  readonly mark: Mark
  readonly facts: Facts
  /** They were read at one go. */
  readonly whole: boolean
  readonly catalogue: Catalogue
}

/**
 * Reads everything that the analysis asks of a server's catalogue; again, only what has changed since: the next statement waits for this. Where it is not certain what has, it
 * reads everything.
 */
export class CatalogueReader {
  readonly #probe: Probe
  // Replaced by read() alone.
  #known: Known | null = null

  constructor(probe: Probe) {
    this.#probe = probe
  }

  /**
   * The catalogue as it is now: the one that was given before, if that is the same, unless it is to be another one `anew`. One call at a time. Rejects with whatever the connection
   * says.
   */
  async read(anew = false): Promise<Catalogue> {
    const known = this.#known
    const { mark, changes } = await changesSince(known?.mark ?? null, this.#probe)
    const renewed = known && (await this.#renewed(known, changes))
    const facts = renewed ?? (await readFacts(this.#probe))
    const same = known?.facts === facts && !anew
    const catalogue = same ? known.catalogue : new CatalogueSnapshot(dataOf(facts, ++versions))
    const whole = renewed === null || (changes === 'nothing' && known!.whole)
    this.#known = { mark, facts, whole, catalogue }
    return catalogue
  }

  /** `null` where everything has to be read. */
  async #renewed({ facts, whole }: Known, changes: Look['changes']): Promise<Facts | null> {
    if (changes === 'everything') return null
    return changes === 'nothing' ? facts : renewFacts(facts, changes, this.#probe, whole)
  }
}
