import type { Queryable } from '../../store/db.ts'
import { indexOf, proveInclusion } from '../log/prove.ts'
import { listRetentions } from '../retentions.ts'
import { ndjsonLine } from './ndjson.ts'
import { readRows } from './rows.ts'
import type { Part } from './stretches.ts'

/**
 * A record that a month is kept elsewhere, as it is exported, and what shows that it is in the log
 * (RFC 6962 §2.1.1), in hex.
 */
export interface RetainedRecord {
  readonly line: string
  readonly proof: readonly string[]
}

/**
 * The records about any event of a part, as far as the first `size` events of the log have them.
 */
export async function recordsOver(
  store: Queryable,
  { first, end }: Part,
  size: number,
): Promise<RetainedRecord[]> {
  const records: RetainedRecord[] = []
  for (const { id, indexes } of await listRetentions(store)) {
    const about = indexes.some((range) => range.first < end && first < range.end)
    const index = about ? await indexOf(store, id) : null
    if (index === null || index >= size) continue
    records.push({
      line: await lineAt(store, index),
      proof: (await proveInclusion(store, index, size)).map((hash) => hash.toString('hex')),
    })
  }
  return records
}

async function lineAt(store: Queryable, index: number): Promise<string> {
  for await (const row of readRows(store, { first: index, end: index + 1 })) return ndjsonLine(row)
  // Closed: without it an export could not be told from one that somebody took events away from.
  throw new Error(`event ${index} of the log is not there`)
}
