import type { KeyObject } from 'node:crypto'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { writeAside } from '../../audit/write-aside.ts'
import { StoreError } from '../../store/db.ts'
import { tellOutages } from '../../store/outage.ts'
import { openPostgres } from '../../store/postgres.ts'
import { createLog } from '../../telemetry/log.ts'
import { giveWay } from '../give-way.ts'
import { named } from '../session-name.ts'
import type { SealAnswer, ThreadData, ThreadNews, ThreadRequest } from './messages.ts'
import { openWork } from './work.ts'

/** One session for each task that works all the time, and one for the rest. */
const sessions = 4

const { url, level, aliveEvery, replica, places, ...data } = workerData as ThreadData
let signing: readonly KeyObject[] = data.signing

const tell = (news: ThreadNews) => parentPort!.postMessage(news, [])
const log = createLog(level, { write: (line) => tell({ line }) })
giveWay((err) =>
  log.info({ err }, 'the work behind the audit log has the priority of everything else'),
)
setInterval(() => tell({ alive: true }), aliveEvery).unref()
const store = tellOutages(
  await openPostgres(named(url, 'background'), sessions),
  log.child({ thread: 'background' }),
)
const work = openWork({
  ...{ store, leisure: store, log, places },
  audit: { write: writeAside(replica), linkWritten: () => tell({ written: true }) },
  signing: () => signing,
  onCheckpoint: (checkpoint) => tell({ checkpoint }),
  onDelivered: (delivered) => tell({ delivered }),
})

parentPort!.on('message', (request: ThreadRequest) => {
  if ('signing' in request) signing = request.signing
  if ('deliver' in request) work.deliver()
  if ('seal' in request) void seal(request.seal)
  if ('close' in request) void close()
})
tell({ open: true })

async function seal(answers: MessagePort): Promise<void> {
  const answer: SealAnswer = await work.seal().then(() => null, partsOf)
  answers.postMessage(answer, [])
  answers.close()
}

function partsOf(error: unknown): SealAnswer {
  const { code, message } =
    error instanceof StoreError ? error : new StoreError('unavailable', String(error))
  return { code, message }
}

async function close(): Promise<void> {
  await work.close()
  await store.end()
  parentPort!.close()
}
