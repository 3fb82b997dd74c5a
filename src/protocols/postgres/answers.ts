import type { Expected } from './expected.ts'
import { endsAnswer, isPartOfAnswer } from './message-flow.ts'
import type { Run } from './run.ts'
import type { Statement } from './sql/statement.ts'
import type { BackendPiece } from './wire/backend.ts'
import { BodyReader } from './wire/body-reader.ts'
import { WireFault } from './wire/fault.ts'
import { readReport, report, withoutDetail, type Report } from './wire/messages.ts'
import { readRows } from './wire/rows.ts'

/** What the session has to learn from the server's answers. */
export interface AnswerEvents {
  /** A statement has succeeded. `tag` is its CommandComplete tag: `COMMIT`, `INSERT 0 1`. */
  command(tag: string, statement: Statement | null, answer: Expected): void
  /** A portal has returned as many rows as were asked for, and has more. */
  suspended(run: Run): void
  /** The whole run has succeeded. */
  completed(run: Run): void
  /** The run was refused with this SQLSTATE, or skipped because of an earlier error. */
  failed(run: Run, code: string): void
  /** An error that belongs to no run. */
  broken(): void
  ready(status: string): void
  parameter(name: string, value: string): void
  /** The server has ended the session. */
  fatal(): void
  /**
   * Whether a rule looks at columns, so that the client must not see a whole row by way of an
   * error.
   */
  guardsColumns(): boolean
}

const skipped = 'skipped'
/** query_canceled (PostgreSQL, appendix A). */
const canceled = '57014'
/**
 * Violations of a constraint or of WITH CHECK OPTION. Their DETAIL has the whole row, including
 * columns that the statement does not name.
 */
const showsRow = /^(23|44)/

/**
 * Matches each message of the server with the question that it answers (PostgreSQL documentation,
 * "Message Flow"). Pure bookkeeping, without sockets: questions go in through `expect`, the
 * server's messages through `take`.
 */
export class Answers {
  readonly #events: AnswerEvents
  // Owned by expect() and take().
  #queue: Expected[] = []
  #status = 'I'
  #skipping = false
  #copyIn = false
  #step = 0
  #stepRows = 0
  #code: string | null = null
  #waiters: (() => void)[] = []
  // Pieces of a row that answers a question of our own.
  #parts: Buffer[] = []

  constructor(events: AnswerEvents) {
    this.#events = events
  }

  get head(): Expected | null {
    return this.#queue[0] ?? null
  }

  get outstanding(): readonly Expected[] {
    return this.#queue
  }

  /**
   * The status in the last ReadyForQuery: `I` idle, `T` in a transaction block, `E` in one that
   * failed.
   */
  get status(): string {
    return this.#status
  }

  /**
   * Whether the server skips everything up to the next Sync. Reliable only when nothing is
   * outstanding.
   */
  get skipping(): boolean {
    return this.#skipping
  }

  /** Whether the server is in COPY mode, where it takes rows and nothing else. */
  get copyIn(): boolean {
    return this.#copyIn
  }

  expect(question: Expected): void {
    this.#queue.push(question)
  }

  /** Settles a question that was not sent, because the server would skip it. */
  skip({ run, own, settled }: Expected): void {
    if (run) this.#events.failed(run, skipped)
    own?.failed(skipped, 'skipped because of an earlier error')
    settled(false)
  }

  /** A Sync is on its way, and the server stops skipping there. */
  endSkipping(): void {
    this.#skipping = false
  }

  /** The client has ended its COPY. */
  endCopy(): void {
    this.#copyIn = false
  }

  /**
   * Resolves when something has been answered. The caller then looks again at what it waits for.
   */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** Wakes whoever waits for a change. */
  wake(): void {
    if (this.#waiters.length === 0) return
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /**
   * Returns what the client gets: the bytes as they are, others in their place, or `null` for
   * nothing. Throws a `WireFault` for an answer to something that nobody asked.
   */
  take(piece: BackendPiece): Buffer | null {
    switch (piece.type) {
      case 'A':
        return piece.bytes
      case 'N':
        return this.head?.own ? null : piece.bytes
      case 'S':
        return this.#parameter(piece)
      case 'E':
        return this.#error(piece)
      case 'Z':
        return this.#ready(piece)
      default:
        return this.#answer(piece)
    }
  }

  #parameter({ bytes }: BackendPiece): Buffer {
    const reader = new BodyReader(bytes, 5)
    this.#events.parameter(reader.text(), reader.text())
    return bytes
  }

  #answer(piece: BackendPiece): Buffer | null {
    const { head } = this
    if (!head) throw new WireFault('the server answered what nobody asked')
    const { type, bytes } = piece
    if (type === 'D' || type === 'd') this.#rows(head, piece)
    else if (type === 'G') this.#beginCopy(head)
    else if (type === 'W') throw new WireFault('the server began to replicate')
    else if (type === 'C' || type === 'I' || type === 'V') this.#command(head, bytes)
    else if (type === 's' && head.run) this.#events.suspended(head.run)
    if (endsAnswer(head.kind, type)) this.#done(head, type !== 's')
    else if (!isPartOfAnswer(head.kind, type))
      throw new WireFault('the server answered something else than it was asked')
    return head.own ? null : bytes
  }

  #rows({ run, own }: Expected, { bytes, begun, whole }: BackendPiece): void {
    if (own) {
      // A copy, because the next read overwrites these bytes.
      this.#parts.push(Buffer.from(bytes))
      if (whole) readRows(Buffer.concat(this.#parts.splice(0)), (values) => own.row(values))
    }
    this.#stepRows += begun
    if (run) run.bytes += bytes.length
  }

  #beginCopy(head: Expected): void {
    if (head.own) throw new WireFault('the server began to copy')
    this.#copyIn = true
    this.wake()
  }

  #command(head: Expected, bytes: Buffer): void {
    const tag = bytes[0] === 0x43 ? new BodyReader(bytes, 5).text() : ''
    const counted = Number(/ (\d+)$/.exec(tag)?.[1] ?? 0)
    if (head.run) head.run.rows += Math.max(counted, this.#stepRows)
    this.#stepRows = 0
    this.#copyIn = false
    const statement = head.statements[this.#step] ?? null
    this.#step += 1
    this.#events.command(tag, statement, head)
  }

  #done(head: Expected, whole: boolean): void {
    this.#queue.shift()
    this.#step = 0
    this.#stepRows = 0
    if (head.kind === 'execute' && head.run && whole && head.ends) this.#events.completed(head.run)
    head.settled(true)
    this.wake()
  }

  #error({ bytes }: BackendPiece): Buffer | null {
    const fields = readReport(bytes.subarray(5))
    const said = fields.get('C') ?? 'XX000'
    this.#copyIn = false
    const { head } = this
    if (!head || /^(FATAL|PANIC)$/.test(fields.get('V') ?? '')) {
      this.#events.fatal()
      return bytes
    }
    const instead = toldInstead(head, said)
    const code = instead?.code ?? said
    head.own?.failed(code, fields.get('M') ?? '')
    if (head.kind === 'query' || head.kind === 'sync') {
      this.#code = code
      this.#events.broken()
    } else {
      this.#fail(code)
    }
    this.wake()
    if (head.own) return null
    if (instead) return report(instead)
    return showsRow.test(said) && this.#events.guardsColumns() ? withoutDetail(bytes) : bytes
  }

  /** The server now skips everything up to the next Sync. */
  #fail(code: string): void {
    const next = this.#queue.findIndex(({ kind }) => kind === 'sync')
    const dropped = this.#queue.splice(0, next < 0 ? this.#queue.length : next)
    if (next < 0) this.#skipping = true
    this.#step = 0
    this.#stepRows = 0
    this.#events.broken()
    const [refused, ...others] = dropped
    if (refused?.run) this.#events.failed(refused.run, code)
    refused?.settled(false)
    for (const other of others) this.skip(other)
  }

  #ready({ bytes }: BackendPiece): Buffer | null {
    const { head } = this
    if (head?.kind !== 'query' && head?.kind !== 'sync')
      throw new WireFault('the server was ready too early')
    const code = this.#code
    this.#code = null
    this.#queue.shift()
    this.#step = 0
    this.#stepRows = 0
    this.#copyIn = false
    this.#status = String.fromCharCode(bytes[5]!)
    if (head.run) {
      if (code !== null) this.#events.failed(head.run, code)
      else if (head.ends) this.#events.completed(head.run)
    }
    head.settled(code === null)
    this.#events.ready(this.#status)
    this.wake()
    return head.own ? null : bytes
  }
}

/**
 * What the client is told in place of an error that the gateway caused, either by sending something
 * that must fail or by cancelling a run that may not go on.
 */
function toldInstead({ refusal, run }: Expected, code: string): Report | null {
  return refusal ?? (code === canceled ? (run?.refused ?? null) : null)
}
