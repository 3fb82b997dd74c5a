import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of its own, in memory, that can be filled to the last byte: what is written to it meets a real ENOSPC. */
export class SmallDisk {
  readonly folder: string
  readonly #filler: string

  private constructor(folder: string) {
    this.folder = folder
    this.#filler = join(folder, 'filler')
  }

  /** Rejects where this process may not mount anything. */
  static mount(mebibytes: number): SmallDisk {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], {
        stdio: 'pipe',
      })
    } catch (error) {
      rmdirSync(folder)
      throw error
    }
    // As a folder for temporary files is: PostgreSQL runs as another user.
    chmodSync(folder, 0o1777)
    return new SmallDisk(folder)
  }

  /** Until there is not even room for one byte. */
  fill(): void {
    const descriptor = openSync(this.#filler, 'a')
    try {
      for (const size of [1024 * 1024, 4096, 1]) this.#fillBy(descriptor, Buffer.alloc(size, 'x'))
    } finally {
      closeSync(descriptor)
    }
  }

  makeRoom(): void {
    rmSync(this.#filler)
  }

  /** Nobody may use it any more. */
  unmount(): void {
    execFileSync('umount', [this.folder], { stdio: 'pipe' })
    rmdirSync(this.folder)
  }

  #fillBy(descriptor: number, piece: Buffer): void {
    try {
      for (;;) writeSync(descriptor, piece)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

/** Whether this process may mount one: as root, and not in every container. */
export function canMountDisks(): boolean {
  try {
    SmallDisk.mount(1).unmount()
    return true
  } catch {
    return false
  }
}
