import type { KeyObject } from 'node:crypto'
import { MessageChannel, Worker, type Transferable } from 'node:worker_threads'
import { pauseAfter } from '../../core/try-again.ts'
import { StoreError } from '../../store/db.ts'
import { writeLine, type Log } from '../../telemetry/log.ts'
import type { SealAnswer, ThreadData, ThreadNews, ThreadRequest } from './messages.ts'
import type { Background } from './work.ts'

// The build has .js files only.
const program = new URL(
  import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js',
  import.meta.url,
)

/**
 * In milliseconds. A thread that has lived longer than the longest pause is started again as if it
 * were the first.
 */
const pauses = { firstPause: 200, longestPause: 30_000 }
/**
 * Milliseconds that the thread's last turn may take. A store that does not answer has been given up
 * by then.
 */
const patience = 30_000
/**
 * How many signs of life may be missing before the thread counts as hanging, and milliseconds
 * between two.
 */
const mostMissing = 6
const usually = 10_000

interface BackgroundThreadDeps extends Omit<ThreadData, 'level' | 'aliveEvery' | 'signing'> {
  readonly log: Log
  readonly aliveEvery?: number
  readonly signing: () => readonly KeyObject[]
  readonly onNews: (news: Exclude<ThreadNews, OfThread>) => void
  readonly onDeath: () => void
}

/** News about the thread itself rather than its work. */
type OfThread = { line: string } | { open: true } | { alive: true }

/**
 * Does the background work in a thread with sessions of its own, which gives way to this one. If
 * the thread ends or hangs, it is started again. Whatever it was doing is a transaction that was
 * rolled back, and stays next in line.
 */
export class BackgroundThread implements Background {
  readonly #deps: BackgroundThreadDeps
  // Owned by #start() and #ended().
  #worker: Worker | null = null
  #begun = 0
  #failures = 0
  #again: NodeJS.Timeout | undefined
  #down = false
  // Owned by #start(), #hear() and #look(): the timer, and how many looks there were since the last
  // sign of life.
  #looks: NodeJS.Timeout | undefined
  #missing = 0
  // Owned by deliver() and close().
  #delivers = false
  #closing = false

  constructor(deps: BackgroundThreadDeps) {
    this.#deps = deps
    this.#start()
  }

  get down(): boolean {
    return this.#down
  }

  async seal(): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    const { promise, resolve } = Promise.withResolvers<SealAnswer>()
    port1.once('message', resolve)
    // The other end is closed when the thread ends, even before it has read this.
    port1.once('close', () => resolve(gone))
    if (this.#worker) this.#ask({ seal: port2 }, [port2])
    else port1.close()
    const refusal = await promise
    port1.close()
    if (refusal) throw new StoreError(refusal.code, refusal.message)
  }

  deliver(): void {
    this.#delivers = true
    this.#ask({ deliver: true })
  }

  /** Tells the thread that other keys sign from now on. */
  rekey(): void {
    this.#ask({ signing: this.#deps.signing() })
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#again)
    clearInterval(this.#looks)
    const worker = this.#worker
    if (!worker) return
    const late = setTimeout(() => {
      this.#deps.log.warn('the work behind the audit log did not end, and was cut off')
      void worker.terminate()
    }, patience)
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    this.#ask({ close: true })
    await exited
    clearTimeout(late)
  }

  #start(): void {
    const { log, url, aliveEvery = usually, replica, places, signing } = this.#deps
    const { level } = log
    const workerData: ThreadData = { url, level, aliveEvery, replica, places, signing: signing() }
    const worker = new Worker(program, { workerData, name: 'background' })
    let failure: unknown = null
    worker.on('error', (error) => (failure = error))
    worker.on('message', (news: ThreadNews) => this.#hear(news))
    worker.on('exit', () => this.#ended(failure))
    this.#worker = worker
    this.#begun = performance.now()
    this.#missing = 0
    this.#looks = setInterval(() => this.#look(worker), aliveEvery).unref()
    if (this.#delivers) this.#ask({ deliver: true })
  }

  #ended(failure: unknown): void {
    const { log, onDeath } = this.#deps
    this.#worker = null
    clearInterval(this.#looks)
    if (this.#closing) {
      if (failure !== null) log.warn({ err: failure }, 'the last turn behind the audit log failed')
      return
    }
    this.#down = true
    if (performance.now() - this.#begun > pauses.longestPause) this.#failures = 0
    const pause = pauseAfter(this.#failures, pauses)
    this.#failures += 1
    log.error(
      { err: failure, retry_ms: pause },
      'the thread that works behind the audit log ended; everything goes on, and it is started again',
    )
    onDeath()
    this.#again = setTimeout(() => this.#start(), pause)
  }

  #hear(news: ThreadNews): void {
    this.#missing = 0
    if ('line' in news) writeLine(this.#deps.log, news.line)
    else if ('open' in news) this.#down = false
    else if (!('alive' in news)) this.#deps.onNews(news)
  }

  /** Counts looks rather than time, because while this thread is held up, it hears nothing. */
  #look(worker: Worker): void {
    this.#missing += 1
    if (this.#missing <= mostMissing) return
    this.#missing = 0
    this.#down = true
    this.#deps.log.error('the thread that works behind the audit log hangs, and is cut off')
    void worker.terminate()
  }

  #ask(request: ThreadRequest, transferred: Transferable[] = []): void {
    this.#worker?.postMessage(request, transferred)
  }
}

const gone: SealAnswer = {
  code: 'unavailable',
  message: 'The thread that signs the log ended, and is started again.',
}
