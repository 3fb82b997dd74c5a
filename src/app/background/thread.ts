import type { KeyObject } from 'node:crypto'
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { writeAside } from '../../audit/write-aside.ts'
import { StoreError } from '../../store/db.ts'
import { tellOutages } from '../../store/outage.ts'
import { openPostgres } from '../../store/postgres.ts'
import { createLog, type Log } from '../../telemetry/log.ts'
import type { SealAnswer, ThreadData, ThreadNews, ThreadRequest } from './messages.ts'
import { openWork } from './work.ts'

/** One for each of those that are at work all the time, and one for the rest. */
const sessions = 4
/** Steps of niceness: a quarter of a core that the main thread wants too, and all that it leaves. */
const nicer = 5

const { url, level, aliveEvery, replica, places, ...data } = workerData as ThreadData
let signing: readonly KeyObject[] = data.signing

const tell = (news: ThreadNews) => parentPort!.postMessage(news, [])
const log = createLog(level, { write: (line) => tell({ line }) })
giveWay(log)
setInterval(() => tell({ alive: true }), aliveEvery).unref()
const store = tellOutages(
  await openPostgres(named(url), sessions),
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

/** So that whoever looks at the database's sessions can tell these from the others. */
function named(url: string): string {
  const parsed = new URL(url)
  const name = parsed.searchParams.get('application_name') ?? 'sallyport'
  parsed.searchParams.set('application_name', `${name} background`)
  return parsed.href
}

/** Linux schedules each thread by itself, and takes 0 for the one that asks. Elsewhere it would be the whole process. */
function giveWay(log: Log): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(getPriority(0) + nicer, 19))
  } catch (error) {
    // Some sandboxes forbid it. Then both threads have the same share.
    log.info({ err: error }, 'the work behind the audit log has the priority of everything else')
  }
}
