import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import type { Store } from '../../store/db.ts'
import { manifestOf } from '../export/manifest.ts'
import { readRows } from '../export/rows.ts'
import type { Part } from '../export/stretches.ts'
import { fileName } from '../log/file-name.ts'
import { foldRoot } from '../log/merkle.ts'
import { readCover } from '../log/prove.ts'
import type { Batch, Destination } from './destination.ts'

interface GatherOptions {
  readonly personal: boolean
  /** Whether it was begun before. Then it has exactly these events, however long they are. */
  readonly begun: boolean
}

/**
 * Writes events of a part in the form that a destination takes, up to the end of a batch. `found`
 * is how many events the database has: fewer than the batch is long if somebody has removed links.
 */
export async function gather(
  store: Store,
  { first, end: last }: Part,
  destination: Destination,
  { personal, begun }: GatherOptions,
): Promise<{ readonly batch: Batch; readonly found: number }> {
  const { longest, compressed, head } = destination
  let end = last
  let found = 0
  async function* texts(): AsyncGenerator<string> {
    let length = head.length
    if (head !== '') yield head
    for await (const row of readRows(store, { first, end: last }, { personal })) {
      const text = destination.write(row)
      found++
      length += text.length
      yield text
      if (length < longest || begun) continue
      end = row.index! + 1
      return
    }
  }
  const text = Readable.from(texts())
  const body = await buffer(compressed ? text.compose(createGzip()) : text)
  const name = await nameOf(store, { first, end })
  return {
    batch: { name, first, end, body, manifest: await manifestOf(store, { first, end }) },
    found,
  }
}

/**
 * The name contains part of the root, so that a log that was restored from a backup and went on
 * differently never replaces this one.
 */
async function nameOf(store: Store, { first, end }: Part): Promise<string> {
  const [tree] = await store.query<{ origin: string }>('SELECT origin FROM sallyport.audit_tree')
  const root = foldRoot(await readCover(store, 0, end)).toString('hex', 0, 4)
  return `${fileName(tree!.origin, [first, end])}-${root}`
}
