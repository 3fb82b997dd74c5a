import type { Store } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
import { cefLine } from './cef.ts'
import { csvHead, csvLine } from './csv.ts'
import { ndjsonLine } from './ndjson.ts'
import { ocsfLine } from './ocsf/event.ts'
import { readPages, type RowOptions } from './rows.ts'
import type { Part } from './stretches.ts'

export interface Format {
  readonly type: string
  readonly extension: string
  /** Text before the first event, if any. */
  readonly head: string | null
  /** An event, without its line end. */
  readonly line: (row: EventRow) => string
}

export const formats = {
  ndjson: { type: 'application/x-ndjson', extension: 'ndjson', head: null, line: ndjsonLine },
  ocsf: { type: 'application/x-ndjson', extension: 'ocsf.ndjson', head: null, line: ocsfLine },
  csv: {
    type: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: csvHead,
    line: csvLine,
  },
  cef: { type: 'text/plain; charset=utf-8', extension: 'cef', head: null, line: cefLine },
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats) as [FormatName, ...FormatName[]]

export interface ExportOptions extends RowOptions {
  /** Set when it continues an interrupted export, and so has no head. */
  readonly continued?: boolean
}

/** `exportText`, in whatever thread it runs. */
export type ExportText = (
  part: Part,
  name: FormatName,
  options: ExportOptions,
) => AsyncIterable<string | Uint8Array>

/** In characters. */
const pieceSize = 64 * 1024

/** A part of the log as text, one event a line, whole lines at a time, in constant memory. */
export async function* exportText(
  store: Store,
  part: Part,
  name: FormatName,
  { continued = false, ...options }: ExportOptions = {},
): AsyncGenerator<string> {
  const { head, line }: Format = formats[name]
  if (head !== null && !continued) yield `${head}\n`
  // Each piece costs its reader more than a line does, so many lines go together.
  let piece = ''
  for await (const page of readPages(store, part, options)) {
    for (const row of page) {
      piece += `${line(row)}\n`
      if (piece.length < pieceSize) continue
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}
