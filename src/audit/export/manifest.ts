import { Problem } from '../../core/errors.ts'
import type { Queryable } from '../../store/db.ts'
import { listSigningKeys, readCheckpoint } from '../log/checkpoints.ts'
import { proveConsistency, readCover } from '../log/prove.ts'
import { recordsOver, type RetainedRecord } from './retained.ts'
import type { Part } from './stretches.ts'

/**
 * What goes with an export, so that it can be checked offline against the signed log: the
 * checkpoint, and the subtrees on both sides of the exported part. Hashes are in hex.
 */
export interface Manifest {
  readonly format: 'sallyport-audit-manifest/1'
  readonly first: number
  readonly end: number
  /** Events in it. */
  readonly count: number
  /**
   * Of the file beside it, as it was written. It is not signed: it shows that a file arrived whole,
   * not that it is the log's.
   */
  readonly sha256?: string
  readonly checkpoint: string
  /**
   * Verifier keys of everything that ever signed this log, to be compared with those that were kept
   * elsewhere.
   */
  readonly keys: string[]
  readonly before: string[]
  readonly after: string[]
  /**
   * Records of months that are kept elsewhere, for events of which this part only has the hashes.
   */
  readonly retained?: readonly RetainedRecord[]
  /** Proves that an older checkpoint of `size` events is of the same log. */
  readonly consistency?: { readonly size: number; readonly proof: string[] }
}

/**
 * Rejects with the problem `bad-request` for a part that is not in the log, and with `not-found`
 * while no checkpoint covers it.
 */
export async function manifestOf(
  store: Queryable,
  { first, end }: Part,
  older: number | null = null,
): Promise<Manifest> {
  const checkpoint = await readCheckpoint(store)
  if (!checkpoint || checkpoint.size < end) {
    throw new Problem('not-found', 'No checkpoint covers this yet. Ask again in a few seconds.')
  }
  const { size, note } = checkpoint
  if (first > end) throw new Problem('bad-request', `${first} is behind ${end}.`)
  const retained = await recordsOver(store, { first, end }, size)
  const manifest: Manifest = {
    format: 'sallyport-audit-manifest/1',
    first,
    end,
    count: end - first,
    checkpoint: note,
    keys: await listSigningKeys(store),
    before: inHex(await readCover(store, 0, first)),
    after: inHex(await readCover(store, end, size)),
    ...(retained.length > 0 && { retained }),
  }
  if (older === null) return manifest
  const proof = inHex(await proveConsistency(store, older, size))
  return { ...manifest, consistency: { size: older, proof } }
}

function inHex(hashes: readonly Buffer[]): string[] {
  return hashes.map((hash) => hash.toString('hex'))
}
