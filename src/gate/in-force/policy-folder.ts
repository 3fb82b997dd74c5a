import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Log } from '../../telemetry/log.ts'

/** An editor writes a file in several steps; they settle within this time, in milliseconds. */
const settles = 200

/**
 * Calls back when something in a folder may have changed, and then nothing more for a while. A
 * folder that is deleted and made again is the same to it.
 */
export class PolicyFolder {
  readonly #folder: string
  readonly #onChange: () => void
  readonly #log: Log
  // Owned by look(): what is watched, which is an inode and not a name. `null` as soon as it may be
  // another one by now.
  #watcher: FSWatcher | null = null
  #watched: string | null = null
  #settling: NodeJS.Timeout | undefined
  #closed = false

  constructor(folder: string, onChange: () => void, log: Log) {
    this.#folder = folder
    this.#onChange = onChange
    this.#log = log
  }

  /**
   * To be called from time to time: watches the folder that has the name now, if it is another one.
   */
  async look(): Promise<void> {
    // Away, or out of reach: whoever is called back reads it, and says which.
    const found = await stat(this.#folder, { bigint: true }).catch(() => null)
    const identity = found ? `${found.dev} ${found.ino}` : 'away'
    if (identity === this.#watched || this.#closed) return
    this.#watcher?.close()
    this.#watched = identity
    this.#watcher = found ? this.#watch() : null
    this.soon(settles)
  }

  soon(ms: number): void {
    if (this.#closed) return
    clearTimeout(this.#settling)
    this.#settling = setTimeout(this.#onChange, ms)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#settling)
    this.#watcher?.close()
  }

  #watch(): FSWatcher | null {
    try {
      const watcher = watch(this.#folder, () => {
        // It may have been its own end: a new folder can even have the same inode.
        this.#watched = null
        this.soon(settles)
      })
      watcher.on('error', (error) => {
        this.#log.warn({ err: error }, 'the folder of policies is not watched; looking again')
        this.#watched = null
      })
      return watcher
    } catch (error) {
      // Gone again in between. The next look finds out.
      this.#log.warn({ err: error }, 'the folder of policies cannot be watched; looking again')
      this.#watched = null
      return null
    }
  }
}
