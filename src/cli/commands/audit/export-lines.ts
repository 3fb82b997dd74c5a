import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { readLines } from '../../../audit/verify/lines.ts'

/**
 * The lines of an export in a file, compressed or not. For a file that cannot be read or unpacked
 * to its end, yields what could be read and then rejects.
 */
export function exportLines(path: string): AsyncGenerator<string> {
  const raw = createReadStream(path)
  // An error in either stream reaches the reader.
  return readLines(path.endsWith('.gz') ? pipeline(raw, createGunzip(), () => {}) : raw)
}

/** Several exports that are read as one, and know the place of each line. */
export class ExportFiles {
  readonly #files: readonly { readonly name: string; readonly path: string }[]
  // Owned by lines(): for each file that was begun, how many lines came before it.
  readonly #before: number[] = []

  constructor(files: readonly { readonly name: string; readonly path: string }[]) {
    this.#files = files
  }

  async *lines(): AsyncGenerator<string> {
    let line = 0
    for (const { path } of this.#files) {
      this.#before.push(line)
      for await (const text of exportLines(path)) {
        line++
        yield text
      }
    }
  }

  /** The place of a line as `file:line`. `line` counts from 1 over all files. */
  place(line: number): string {
    const file = Math.max(
      0,
      this.#before.findLastIndex((before) => before < line),
    )
    return `${this.#files[file]!.name}:${line - (this.#before[file] ?? 0)}`
  }
}
