import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ExportOptions, FormatName } from '../../audit/export/format.ts'
import type { Part } from '../../audit/export/stretches.ts'
import { StoreError } from '../../store/db.ts'
import type { ThreadAnswer, ThreadData } from './messages.ts'

// The build has .js files only.
const program = new URL(
  import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js',
  import.meta.url,
)

/**
 * In MiB. An export uses some 20, and 120 if every event is as long as possible. With these limits
 * V8 collects garbage before it takes more; without them it would take a hundred more, for nothing.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 }

/**
 * Exports a part of the log as UTF-8 text, in a thread with sessions of its own that gives way to
 * this one, because ten million events take minutes of CPU. The thread ends with its reader.
 * Rejects with a `StoreError`.
 */
export async function* exportAside(
  url: string,
  part: Part,
  format: FormatName,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const workerData: ThreadData = { url, part, format, options }
  const worker = new Worker(program, { workerData, resourceLimits, name: 'export' })
  // The reader learns of it by the thread's end.
  worker.on('error', () => undefined)
  try {
    for (let answer = ask(worker); ;) {
      const news = await answer
      if ('end' in news) return
      if ('message' in news) throw failureOf(news)
      // The next piece is made while this one is sent.
      answer = ask(worker)
      // A reader that goes on gets the error; one that stops has no use for it.
      answer.catch(() => {})
      yield news.piece
    }
  } finally {
    await worker.terminate()
  }
}

/**
 * Asks for the next piece. Rejects when the thread ends, because half an export must not look like
 * a whole one.
 */
async function ask(worker: Worker): Promise<ThreadAnswer> {
  worker.postMessage(null, [])
  const over = new AbortController()
  try {
    const exited = once(worker, 'exit', { signal: over.signal }).then(() => {
      throw new StoreError('unavailable', 'The thread that exports ended.')
    })
    // Where a message comes first, it rejects with the abort below, and nobody waits for it any
    // more; else the race rejects with it.
    exited.catch(() => {})
    const [news] = await Promise.race([once(worker, 'message', { signal: over.signal }), exited])
    return news as ThreadAnswer
  } finally {
    over.abort()
  }
}

function failureOf({ code, message }: { readonly code: string | null; readonly message: string }) {
  return code === null ? new Error(message) : new StoreError(code, message)
}
