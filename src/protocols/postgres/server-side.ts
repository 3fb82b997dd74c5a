import type { Socket } from 'node:net'
import { Answers, type AnswerEvents } from './answers.ts'
import { expected, type Expected, type OwnQuestion } from './expected.ts'
import { Joiner } from './joiner.ts'
import type { ServerSocket } from './login/gathered-reads.ts'
import { Relay } from './relay.ts'
import { giveBack } from './wire/give-back.ts'
import { bind, close, execute, flush, parse, randomName, sync } from './wire/messages.ts'

/** Bytes that may wait for the server before we stop reading the client. */
const enough = 256 * 1024
/**
 * Questions that may wait for their answers before we stop reading the client. Syncs and the like
 * are so short that bytes alone would let millions of them in.
 */
const mostQuestions = 4096

/** The server's answer to a question of the gateway's, as text. */
export type Rows = readonly (readonly (string | null)[])[]

/** What the session learns from the connection to the server. */
export interface ServerSideEvents extends AnswerEvents {
  /** A run failed. Throws what ends the session. */
  failed(run: Parameters<AnswerEvents['failed']>[0], code: string): void
  /** The server closed the connection, or it broke. */
  lost(): void
  /** What came from the server is not the protocol. */
  fault(error: unknown): void
}

/** The message came after an error in its pipeline. The server skips it, so it goes no further. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** The session has ended in the meantime. */
export class Over extends Error {
  override readonly name = 'Over'
}

/** A question of the gateway's own was not answered. Closed: whatever needed the answer fails. */
class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

/**
 * The connection to the server. It sends messages, keeps track of the answers that are due, asks
 * the gateway's own questions, and relays the answers to the client.
 */
export class ServerSide {
  readonly answers: Answers
  readonly #socket: ServerSocket
  readonly #relay: Relay
  readonly #toServer = new Joiner((bytes) => {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  })
  // Owned by send(): whether messages are being gathered, to go out together.
  #corked = false
  /** Whether messages of the extended protocol have gone out since the last Sync. */
  #open = false
  /** Whether a Bind or an Execute was among them, which a Sync would end. */
  #begun = false
  #over = false

  constructor(socket: ServerSocket, client: Socket, events: ServerSideEvents) {
    this.#socket = socket
    this.answers = new Answers(events)
    const fault = (error: unknown): void => events.fault(error)
    this.#relay = new Relay({ server: socket, client, answers: this.answers, fault })
    socket.on('drain', () => this.answers.wake())
    // The error itself adds nothing: the session ends with `close`, which follows.
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.end()
      events.lost()
    })
    socket.resume()
  }

  /** Whether the client has got the beginning of a message, but not its end. */
  get within(): boolean {
    return this.#relay.within
  }

  /** Whether the server can take no more for now. */
  get full(): boolean {
    return this.#socket.writableLength > enough || this.answers.outstanding.length >= mostQuestions
  }

  get open(): boolean {
    return this.#open
  }

  /** Sends bytes. `answer` is what the server will answer them with; `null` for nothing. */
  send(bytes: Buffer, answer: Expected | null = null): void {
    if (answer) {
      // An error came up while this was being decided. The server would skip it without an answer.
      if (this.answers.skipping && answer.kind !== 'sync') return this.answers.skip(answer)
      this.answers.expect(answer)
      const { kind } = answer
      this.#open = kind !== 'sync' && kind !== 'query'
      this.#begun = this.#open && (this.#begun || kind === 'bind' || kind === 'execute')
    }
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      setImmediate(this.#uncork)
    }
    this.#toServer.add(bytes)
  }

  readonly #uncork = (): void => {
    this.#corked = false
    this.#toServer.flush()
    this.#socket.uncork()
  }

  /**
   * Sends rows that are copied in, which the server does not answer. Takes the bytes over: nobody
   * else may use them afterwards.
   */
  pass(bytes: Buffer): void {
    this.#toServer.flush()
    if (!this.#socket.destroyed) this.#socket.write(bytes, () => giveBack(bytes))
  }

  /**
   * Closes our side after what was sent. A server that waits for more rows gives up then, and
   * closes its side too.
   */
  hangUp(): void {
    this.#toServer.flush()
    this.#socket.end()
  }

  /** Waits until the server can take more. */
  async room(): Promise<void> {
    // Without a Flush the server buffers short answers. This does not happen during a COPY, which
    // is a single question, and where a message of ours would end up in the middle of a row.
    if (this.#open && this.answers.outstanding.length >= mostQuestions) this.flush()
    await this.until(() => !this.full)
  }

  /** Makes the server send the answers that it has buffered. */
  flush(): void {
    this.send(flush)
  }

  destroy(): void {
    this.end()
    this.#socket.destroy()
  }

  /** Tells whoever waits for an answer that none will come. */
  end(): void {
    this.#over = true
    this.#relay.end()
    this.answers.wake()
  }

  /** A run was released, so its answer may go to the client. */
  release(): void {
    this.#relay.goOn()
  }

  /**
   * Waits until the server has answered everything. Rejects with `Skipped` when there was an error
   * and the server now skips what follows.
   */
  async drain(): Promise<void> {
    if (this.answers.outstanding.length > 0 && this.#open) this.send(flush)
    await this.until(() => this.answers.outstanding.length === 0)
    if (this.answers.skipping) throw new Skipped()
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) {
      if (this.#over) throw new Over()
      await this.answers.change()
    }
    if (this.#over) throw new Over()
  }

  /**
   * Asks the server something within the client's session, without disturbing its transaction or
   * its names. To be called only when nothing is outstanding and the transaction has not failed.
   */
  async ask(sql: string): Promise<Rows> {
    const [rows] = await this.askAll([sql])
    return rows!
  }

  /** Asks several questions in one round trip. */
  async askAll(questions: readonly string[]): Promise<readonly Rows[]> {
    const failures: string[] = []
    // Within a pipeline, a Sync would commit what came before it. Behind a Parse alone there is
    // nothing to commit, and the statement that follows has to be the first of its transaction: the
    // server runs VACUUM, CREATE INDEX CONCURRENTLY and the like only there.
    const inside = this.#begun
    const answers = questions.map((sql) => this.#put(sql, failures))
    if (inside) this.flush()
    else this.send(sync, expected('sync', { own: ownQuestion([], failures) }))
    await this.until(() => this.answers.outstanding.length === 0)
    if (failures.length > 0) throw new Unanswered(failures[0])
    return answers
  }

  /** Sends a question, and returns the list that its rows will be added to. */
  #put(sql: string, failures: string[]): Rows {
    const rows: (string | null)[][] = []
    const own = ownQuestion(rows, failures)
    const name = randomName()
    this.send(parse(name, sql), expected('parse', { own }))
    this.send(bind(name, name), expected('bind', { own }))
    this.send(execute(name), expected('execute', { own }))
    this.send(close('P', name), expected('close', { own }))
    this.send(close('S', name), expected('close', { own }))
    return rows
  }
}

function ownQuestion(rows: (string | null)[][], failures: string[]): OwnQuestion {
  return {
    row: (values) => void rows.push([...values]),
    failed: (code, message) => void failures.push(`${code} ${message}`),
  }
}
