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
 * Reads everything that the analysis asks of a server's catalogue; again, only what has changed
 * since: the next statement waits for this. Where it is not certain what has, it reads everything.
 */
export class CatalogueReader {
  readonly #probe: SessionProbe
  // Replaced by read() alone.
  #known: Known | null = null

  constructor(probe: SessionProbe) {
    this.#probe = probe
  }

  /**
   * The catalogue as it is now: the one that was given before, if that is the same, unless it is to
   * be another one `anew`. `moved`: it is certain that a transaction has ended since. One call at a
   * time. Rejects with whatever the connection says.
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
 * All questions see the catalogue as it was at one moment. Otherwise a function that is dropped and
 * made again while they are asked could seem not to be there, and a call of it to be one of
 * PostgreSQL's own.
 */
async function inOneSnapshot<Result>(probe: Probe, work: () => Promise<Result>): Promise<Result> {
  const begun = probe.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', [])
  try {
    // What it asks first goes out behind that, in one round trip.
    const [result] = await Promise.all([work(), begun])
    return result
  } finally {
    // Nothing was changed: the end is the same, whether it went well or not.
    await probe.query('ROLLBACK', [])
  }
}
