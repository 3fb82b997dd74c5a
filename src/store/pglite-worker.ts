import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

/**
 * What the main thread asks for. A session's port carries the PostgreSQL protocol, in whole
 * messages both ways.
 */
export type WorkerRequest = { session: MessagePort } | { dump: true } | { close: true }

export interface WorkerData {
  /** `null` keeps the database in memory. */
  readonly folder: string | null
  /** A data folder as `dump` gives it, to start from. */
  readonly snapshot: ArrayBuffer | null
}

const { folder, snapshot } = workerData as WorkerData
const database = await PGlite.create({
  ...(folder && { dataDir: folder }),
  ...(snapshot && { loadDataDir: new Blob([snapshot]) }),
})

// The database has one session, which does one thing after another. What fails here is the database
// itself and not a statement: the rejection ends this thread, and with it every session.
let previous: Promise<unknown> = Promise.resolve()
function inTurn(work: () => Promise<void>): void {
  previous = previous.then(work)
}

parentPort!.on('message', (request: WorkerRequest) => {
  if ('session' in request) serve(request.session)
  if ('dump' in request) inTurn(dump)
  if ('close' in request) inTurn(close)
})
parentPort!.postMessage('open', [])

function serve(session: MessagePort): void {
  session.on('message', (message: Uint8Array) =>
    inTurn(async () => {
      const onRawData = (bytes: Uint8Array) => {
        const copy = bytes.slice()
        session.postMessage(copy, [copy.buffer])
      }
      await database.execProtocolRawStream(message, { onRawData })
    }),
  )
}

async function dump(): Promise<void> {
  const image = await database.dumpDataDir('none')
  const bytes = await image.arrayBuffer()
  parentPort!.postMessage(bytes, [bytes])
}

async function close(): Promise<void> {
  await database.close()
  parentPort!.close()
}
