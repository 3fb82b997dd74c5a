import { changesSince, type Look, type Mark } from './catalogue-changes.ts'
import { dataOf } from './catalogue-data.ts'
import { readFacts, renewFacts, type Facts } from './catalogue-facts.ts'
import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import type { Catalogue, Probe } from './statement.ts'

let versions = 0

interface Known {
  readonly mark: Mark
  readonly facts: Facts
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
    const facts = await this.#facts(known?.facts ?? null, changes)
    const same = known?.facts === facts && !anew
    const catalogue = same ? known.catalogue : new CatalogueSnapshot(dataOf(facts, ++versions))
    this.#known = { mark, facts, catalogue }
    return catalogue
  }

  async #facts(known: Facts | null, changes: Look['changes']): Promise<Facts> {
    if (!known || changes === 'everything') return readFacts(this.#probe)
    return changes === 'nothing' ? known : renewFacts(known, changes, this.#probe)
  }
}
