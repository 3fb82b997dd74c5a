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
  /** It was begun before: exactly these events, however long they are. */
  readonly begun: boolean
}

/**
 * Writes the events of a part down as this destination takes them, up to where a batch of it ends.
 * `found` are those that the database has: fewer than the batch is long when somebody took links
 * away.
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
 * The root goes into the name, so that a log that went on otherwise from here, out of a backup,
 * never takes the place of this one.
 */
async function nameOf(store: Store, { first, end }: Part): Promise<string> {
  const [tree] = await store.query<{ origin: string }>('SELECT origin FROM sallyport.audit_tree')
  const root = foldRoot(await readCover(store, 0, end)).toString('hex', 0, 4)
  return `${fileName(tree!.origin, [first, end])}-${root}`
}
