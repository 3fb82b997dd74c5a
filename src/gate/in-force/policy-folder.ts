import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Log } from '../../telemetry/log.ts'

/** Milliseconds within which the several steps of an editor's save are over. */
const settles = 200

/**
 * Calls back once a folder that may have changed has been quiet for a moment. Copes with a folder
 * that is deleted and created again.
 */
export class PolicyFolder {
  readonly #folder: string
  readonly #onChange: () => void
  readonly #log: Log
  // Owned by look(): what is watched, which is an inode and not a name; `null` once the name may
  // lead to another inode.
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
   * To be called from time to time. Watches the folder that has the name now, if it is not the one
   * that is watched.
   */
  async look(): Promise<void> {
    // Missing or unreadable; the callback will read the folder and report which.
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
        // This may have been the folder's own deletion, and a new folder can even get the same
        // inode.
        this.#watched = null
        this.soon(settles)
      })
      watcher.on('error', (error) => {
        this.#log.warn({ err: error }, 'the folder of policies is not watched; looking again')
        this.#watched = null
      })
      return watcher
    } catch (error) {
      // It has gone in between. The next look finds out.
      this.#log.warn({ err: error }, 'the folder of policies cannot be watched; looking again')
      this.#watched = null
      return null
    }
  }
}
