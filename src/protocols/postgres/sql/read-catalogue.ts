import { changesSince, standsStill, type Mark } from './catalogue-changes.ts'
import { dataOf } from './catalogue-data.ts'
import { readFacts, renewFacts, type Facts } from './catalogue-facts.ts'
import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import type { Catalogue, Probe, SessionProbe } from './statement.ts'

let versions = 0

interface Known {
  readonly mark: Mark
  readonly facts: Facts
  readonly catalogue: Catalogue
}

/**
 * Reads everything that the analysis needs of a server's catalogue. Later calls read only what has
 * changed, because the next statement waits for this; where that is uncertain, they read
 * everything.
 */
export class CatalogueReader {
  readonly #probe: SessionProbe
  // Replaced by read() alone.
  #known: Known | null = null

  constructor(probe: SessionProbe) {
    this.#probe = probe
  }

  /**
   * The catalogue as it is now: the same object as before if nothing has changed, unless `anew`
   * asks for another. `moved`: a transaction has certainly ended since. To be called once at a
   * time. Rejects with the error of the connection.
   */
  async read({ anew = false, moved = false } = {}): Promise<Catalogue> {
    const known = this.#known
    const { mark, facts } = await this.#probe.within((probe) => readOn(known, moved, probe))
    const same = known?.facts === facts && !anew
    const catalogue = same ? known.catalogue : new CatalogueSnapshot(dataOf(facts, ++versions))
    this.#known = { mark, facts, catalogue }
    return catalogue
  }
}

async function readOn(
  known: Known | null,
  moved: boolean,
  probe: Probe,
): Promise<Pick<Known, 'mark' | 'facts'>> {
  if (known?.facts.locked.size === 0 && !moved && (await standsStill(known.mark, probe)))
    return known
  return inOneSnapshot(probe, async () => {
    const { mark, changes } = await changesSince(known?.mark ?? null, probe)
    const renewed = known && changes && (await renewFacts(known.facts, changes, probe))
    return { mark, facts: renewed ?? (await readFacts(probe)) }
  })
}

/**
 * All questions have to see the catalogue as of one moment. Otherwise a function that is dropped
 * and created again meanwhile could seem not to exist, and a call of it could pass for one of
 * PostgreSQL's own.
 */
async function inOneSnapshot<Result>(probe: Probe, work: () => Promise<Result>): Promise<Result> {
  const begun = probe.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', [])
  try {
    // Not awaited first, so that the first questions share its round trip.
    const [result] = await Promise.all([work(), begun])
    return result
  } finally {
    // Nothing was changed, so a rollback ends it in either case.
    await probe.query('ROLLBACK', [])
  }
}
