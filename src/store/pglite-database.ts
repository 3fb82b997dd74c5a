import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { PgliteSession } from './pglite-session.ts'
import type { WorkerData, WorkerRequest } from './pglite-worker.ts'

// The build has .js files only.
const program = new URL(
  import.meta.url.endsWith('.ts') ? './pglite-worker.ts' : './pglite-worker.js',
  import.meta.url,
)

/** PGlite in a thread of its own, so that a busy query does not starve our timers. */
export class PgliteDatabase {
  readonly #worker: Worker

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Rejects when the database cannot be opened. */
  static async open(workerData: WorkerData): Promise<PgliteDatabase> {
    const worker = new Worker(program, { workerData })
    await once(worker, 'message')
    // From here on the sessions notice its end, and every query on them fails.
    worker.on('error', () => {})
    return new PgliteDatabase(worker)
  }

  /**
   * Opens a session. All share the one session underneath, and continue where the last one stopped.
   */
  session(): PgliteSession {
    return new PgliteSession(this.#worker)
  }

  /** The data folder as a tar file. */
  async dump(): Promise<ArrayBuffer> {
    this.#request({ dump: true })
    const [image] = (await once(this.#worker, 'message')) as [ArrayBuffer]
    return image
  }

  async close(): Promise<void> {
    if (this.#worker.threadId === -1) return
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#request({ close: true })
    await exit
  }

  #request(request: WorkerRequest): void {
    this.#worker.postMessage(request, [])
  }
}
