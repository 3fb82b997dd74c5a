import type { ExportOptions, FormatName } from '../../audit/export/format.ts'
import type { Part } from '../../audit/export/stretches.ts'

/** What the thread begins with. It answers each message with a piece. */
export interface ThreadData {
  readonly url: string
  readonly part: Part
  readonly format: FormatName
  readonly options: ExportOptions
}

export type ThreadAnswer =
  | { readonly piece: Uint8Array<ArrayBuffer> }
  | { readonly end: true }
  /** A `StoreError`, in parts that can be sent; `code` is `null` for any other error. */
  | { readonly code: string | null; readonly message: string }
