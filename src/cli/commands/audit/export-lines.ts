import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { readLines } from '../../../audit/verify/lines.ts'

/**
 * The lines of an export in a file, compressed or not. Rejects, behind what could be read, for a
 * file that cannot be read or unpacked to its end.
 */
export function exportLines(path: string): AsyncGenerator<string> {
  const raw = createReadStream(path)
  // Whoever reads hears of an error in either.
  return readLines(path.endsWith('.gz') ? pipeline(raw, createGunzip(), () => {}) : raw)
}

/** Several exports, read as one, with the place of each of their lines. */
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

  /** Where a line is, counted over all of them from 1, as `file:line`. */
  place(line: number): string {
    const file = Math.max(
      0,
      this.#before.findLastIndex((before) => before < line),
    )
    return `${this.#files[file]!.name}:${line - (this.#before[file] ?? 0)}`
  }
}
