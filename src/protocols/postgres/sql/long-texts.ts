import { Worker } from 'node:worker_threads'
import { Unknown } from '../../../core/action.ts'
import type { ThreadAnswer, ThreadRequest } from './analysis-thread.ts'
import { notRead } from './read-text.ts'
import type { Analysis, SqlContext, Statement } from './statement.ts'

// The build has .js files only.
const program = new URL(
  import.meta.url.endsWith('.ts') ? './analysis-thread.ts' : './analysis-thread.js',
  import.meta.url,
)

/** UTF-16 code units. A longer text is not read at all. */
const longest = 32 * 1024 * 1024

/**
 * Analyses long texts one after another in a thread, so that they hold nobody else up. A text that
 * takes too long is ended along with its thread.
 */
export class LongTexts {
  readonly #timeout: number
  // Started for the first text, and replaced after it had to be killed.
  #worker: Worker | null = null
  // The version of the catalogue that the thread has. It is large, so it is sent only once.
  #sent: number | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  /** `timeout`: in milliseconds, for each text. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  async analyse(text: string, context: SqlContext): Promise<Analysis> {
    if (text.length > longest) return tooLong('It is longer than 32 MB.')
    const mine = this.#queue.then(() => this.#run(text, context))
    this.#queue = mine
    return mine
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
    this.#worker = null
  }

  async #run(text: string, context: SqlContext): Promise<Analysis> {
    if (this.#closed) return tooLong('The gateway is stopping.')
    const worker = (this.#worker ??= this.#start())
    try {
      const { catalogue, ...rest } = context
      const known = catalogue !== null && catalogue.version === this.#sent
      const data = known ? 'known' : (catalogue?.data ?? null)
      this.#sent = catalogue?.version ?? null
      const request: ThreadRequest = { text, context: rest, catalogue: data }
      return revived(await this.#answer(worker, request))
    } catch {
      // Closed: whatever went wrong, the text has not been read.
      this.#worker = null
      await worker.terminate()
      return tooLong('It took too long to read.')
    }
  }

  #start(): Worker {
    const worker = new Worker(program)
    this.#sent = null
    // A thread that ends between two texts is replaced for the next one.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null
    })
    worker.unref()
    return worker
  }

  async #answer(worker: Worker, request: ThreadRequest): Promise<ThreadAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>()
    const timer = setTimeout(() => reject(new Error('It took too long.')), this.#timeout)
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', reject)
    try {
      worker.postMessage(request, [])
      return await promise
    } finally {
      clearTimeout(timer)
      worker.off('message', resolve)
      worker.off('error', reject)
      worker.off('exit', reject)
    }
  }
}

function tooLong(why: string): Analysis {
  return notRead({ kind: 'too-long', why, position: null })
}

/** Between threads an `Unknown` becomes a plain object. */
function revived(analysis: ThreadAnswer): Analysis {
  return { ...analysis, sql: sqlOf(analysis.sql), statements: analysis.statements.map(whole) }
}

function whole(statement: Statement): Statement {
  const session = statement.session.map((change) => {
    if (change.kind === 'prepare') return { ...change, prepared: whole(change.prepared) }
    return change.kind === 'declare' ? { ...change, query: whole(change.query) } : change
  })
  return { ...statement, sql: sqlOf(statement.sql), session }
}

function sqlOf(sql: Analysis['sql']): Analysis['sql'] {
  const entries = Object.entries(sql).map(([name, value]) => {
    const isUnknown = typeof value === 'object' && value !== null && 'unknown' in value
    return [name, isUnknown ? new Unknown((value as Unknown).unknown) : value] as const
  })
  return { ...sql, ...Object.fromEntries(entries) }
}
