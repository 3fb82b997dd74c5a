import { parentPort, workerData } from 'node:worker_threads'
import { exportText } from '../../audit/export/format.ts'
import { StoreError } from '../../store/db.ts'
import { openPostgres } from '../../store/postgres.ts'
import { giveWay } from '../give-way.ts'
import { named } from '../session-name.ts'
import type { ThreadAnswer, ThreadData } from './messages.ts'

/** One session reads on while the other looks something up. */
const sessions = 2

const { url, part, format, options } = workerData as ThreadData
// If this is refused, the background thread has reported it already.
giveWay(() => undefined)
const pieces = read()

// The reader waits for each answer, so there is one at a time.
parentPort!.on('message', () => void answer())

async function* read(): AsyncGenerator<string> {
  const store = await openPostgres(named(url, 'export'), sessions)
  try {
    yield* exportText(store, part, format, options)
  } finally {
    await store.end()
  }
}

async function answer(): Promise<void> {
  try {
    const { value, done } = await pieces.next()
    if (done) return tell({ end: true })
    const piece = new TextEncoder().encode(value)
    tell({ piece }, [piece.buffer])
  } catch (error) {
    const code = error instanceof StoreError ? error.code : null
    tell({ code, message: error instanceof Error ? error.message : String(error) })
  }
}

function tell(news: ThreadAnswer, transferred: ArrayBuffer[] = []): void {
  parentPort!.postMessage(news, transferred)
}
