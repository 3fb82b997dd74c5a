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

/** Of UTF-16. What is longer than this is not read at all. */
const longest = 32 * 1024 * 1024

/**
 * Analyses long texts in a thread, one after the other, so that they hold nobody else up; one that
 * takes too long ends with its thread.
 */
export class LongTexts {
  readonly #timeout: number
  // Started by the first text, replaced after one that had to be killed.
  #worker: Worker | null = null
  // Of the catalogue that the thread has; large, and sent once.
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
      // Closed, whether it took too long, ran out of memory or failed: nobody has read the text.
      this.#worker = null
      await worker.terminate()
      return tooLong('It took too long to read.')
    }
  }

  #start(): Worker {
    const worker = new Worker(program)
    this.#sent = null
    // A thread that ends between two texts is replaced at the next one.
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
