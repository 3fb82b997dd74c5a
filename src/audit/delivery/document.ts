import { hash } from 'node:crypto'
import { formats, type Format, type FormatName } from '../export/format.ts'
import type { Manifest } from '../export/manifest.ts'
import type { EventRow } from '../exported.ts'
import type { Batch, Destination } from './destination.ts'

/** In characters. Compressed, about a tenth of it is in memory. */
const longest = 64 * 1024 * 1024

/** Writes files and objects, each of which is a complete compressed export with its own head. */
export function documentOf(
  format: FormatName,
): Pick<Destination, 'longest' | 'compressed' | 'head' | 'write'> {
  const { head, line }: Format = formats[format]
  return {
    longest,
    compressed: true,
    head: head === null ? '' : `${head}\n`,
    write: (row: EventRow) => `${line(row)}\n`,
  }
}

/**
 * The two files of a batch, in the order in which they must appear: whoever sees the second one
 * finds the first.
 */
export function filesOf(
  { name, body, manifest }: Batch,
  format: FormatName,
): readonly { readonly name: string; readonly body: Buffer; readonly type: string }[] {
  const file = `${name}.${formats[format].extension}`
  const sha256 = hash('sha256', body)
  const text = `${JSON.stringify({ ...manifest, sha256 } satisfies Manifest, null, 2)}\n`
  return [
    { name: `${file}.manifest.json`, body: Buffer.from(text), type: 'application/json' },
    { name: `${file}.gz`, body, type: 'application/gzip' },
  ]
}
