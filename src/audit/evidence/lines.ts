import type { Store } from '../../store/db.ts'
import { manifestOf } from '../export/manifest.ts'
import { exportNdjson } from '../export/ndjson.ts'
import type { Part } from '../export/stretches.ts'

/**
 * The lines of an export that its manifest was made for. Ends with an error if a month was recorded
 * as kept elsewhere meanwhile: events that left the database while it was read would look as if
 * somebody had removed them.
 */
export async function* evidenceLines(
  store: Store,
  manifest: Part & { readonly retained?: readonly unknown[] | undefined },
): AsyncGenerator<string> {
  const part = { first: manifest.first, end: manifest.end }
  yield* exportNdjson(store, part)
  const { retained = [] } = await manifestOf(store, part)
  if (retained.length !== (manifest.retained ?? []).length)
    throw new Error('a month left the database while its evidence was read')
}
