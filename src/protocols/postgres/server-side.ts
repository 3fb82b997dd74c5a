import type { Socket } from 'node:net'
import { Answers, type AnswerEvents } from './answers.ts'
import { expected, type Expected, type OwnQuestion } from './expected.ts'
import { Joiner } from './joiner.ts'
import type { ServerSocket } from './login/gathered-reads.ts'
import { Relay } from './relay.ts'
import { giveBack } from './wire/give-back.ts'
import { bind, close, execute, flush, parse, randomName, sync } from './wire/messages.ts'

/** Bytes that may wait for the server before the client is not read any more. */
const enough = 256 * 1024
/**
 * Questions that may wait for their answers, before the client is not read any more: Syncs and
 * their like are short, and would be millions.
 */
const mostQuestions = 4096

/** What the server answers to a question of the gateway's, as it prints it. */
export type Rows = readonly (readonly (string | null)[])[]

/** What comes back from the server, and goes to the client. */
export interface ServerSideEvents extends AnswerEvents {
  /** Throws what ends the session. */
  failed(run: Parameters<AnswerEvents['failed']>[0], code: string): void
  /** The server closed the connection, or it broke. */
  lost(): void
  /** What came is not the protocol. */
  fault(error: unknown): void
}

/**
 * The message was sent into a pipeline that had failed before: the server skips it, so it goes no
 * further.
 */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** The session has ended meanwhile. */
export class Over extends Error {
  override readonly name = 'Over'
}

/** A question of the gateway's own was not answered. Closed: what it was for is not known then. */
class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

/**
 * The connection to the server: sends, keeps count of what has to be answered, asks for the
 * gateway, and has the answers relayed to the client.
 */
export class ServerSide {
  readonly answers: Answers
  readonly #socket: ServerSocket
  readonly #relay: Relay
  readonly #toServer = new Joiner((bytes) => {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  })
  // Owned by send(): what goes out together.
  #corked = false
  /** Whether messages of the extended protocol have gone out since the last Sync. */
  #open = false
  #over = false

  constructor(socket: ServerSocket, client: Socket, events: ServerSideEvents) {
    this.#socket = socket
    this.answers = new Answers(events)
    const fault = (error: unknown): void => events.fault(error)
    this.#relay = new Relay({ server: socket, client, answers: this.answers, fault })
    socket.on('drain', () => this.answers.wake())
    // What it says is in the log of whoever looks into it; the session ends by `close`.
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.end()
      events.lost()
    })
    socket.resume()
  }

  /** Whether a part of a message has gone to the client, and its end has not. */
  get within(): boolean {
    return this.#relay.within
  }

  /** Whether the server takes no more for now. */
  get full(): boolean {
    return this.#socket.writableLength > enough || this.answers.outstanding.length >= mostQuestions
  }

  get open(): boolean {
    return this.#open
  }

  /** Sends bytes, which the server will answer with `answer`; `null`: with nothing. */
  send(bytes: Buffer, answer: Expected | null = null): void {
    if (answer) {
      // An error came up while this was decided: the server would skip it, and answer nothing.
      if (this.answers.skipping && answer.kind !== 'sync') return this.answers.skip(answer)
      this.answers.expect(answer)
      this.#open = answer.kind !== 'sync' && answer.kind !== 'query'
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
   * Sends a part of something that the server does not answer: rows that are copied in. Nobody may
   * use the bytes after that.
   */
  pass(bytes: Buffer): void {
    this.#toServer.flush()
    if (!this.#socket.destroyed) this.#socket.write(bytes, () => giveBack(bytes))
  }

  /**
   * Ends the connection behind what was sent: a server that was promised more, and takes nothing
   * else, gives that up, and ends it too.
   */
  hangUp(): void {
    this.#toServer.flush()
    this.#socket.end()
  }

  /** Waits until the server takes more. */
  async room(): Promise<void> {
    // It keeps short answers for itself. While it copies there is one question, and a message of
    // ours would get into the middle of a row.
    if (this.#open && this.answers.outstanding.length >= mostQuestions) this.flush()
    await this.until(() => !this.full)
  }

  /** Has the server say what it has to say. */
  flush(): void {
    this.send(flush)
  }

  destroy(): void {
    this.end()
    this.#socket.destroy()
  }

  /** Whoever waits for an answer learns that none will come. */
  end(): void {
    this.#over = true
    this.#relay.end()
    this.answers.wake()
  }

  /** A run was released: what the server says to it goes on. */
  release(): void {
    this.#relay.goOn()
  }

  /**
   * Waits until the server has answered everything. Throws `Skipped` when an error came up, and it
   * skips what follows now.
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
   * Asks the server something in the client's own session, without disturbing its transaction or
   * its names. Only when nothing is outstanding, and the transaction has not failed.
   */
  async ask(sql: string): Promise<Rows> {
    const [rows] = await this.askAll([sql])
    return rows!
  }

  /** The same for several questions, in one round trip. */
  async askAll(questions: readonly string[]): Promise<readonly Rows[]> {
    const failures: string[] = []
    // Within a pipeline a Sync would commit what came before it.
    const inside = this.#open
    const answers = questions.map((sql) => this.#put(sql, failures))
    if (inside) this.flush()
    else this.send(sync, expected('sync', { own: ownQuestion([], failures) }))
    await this.until(() => this.answers.outstanding.length === 0)
    if (failures.length > 0) throw new Unanswered(failures[0])
    return answers
  }

  /** Sends a question, and returns where its rows will be. */
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
