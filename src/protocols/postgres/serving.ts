import type { Socket } from 'node:net'
import type { Front } from './front.ts'
import { Over, type ServerSide } from './server-side.ts'
import type { Unrecorded } from './unrecorded.ts'
import { FrontendReader } from './wire/frontend.ts'

/** Bytes of the longest message, be it a statement, its values, or a row that is copied in. */
const longestMessage = 16 * 1024 * 1024
/** Bytes that may wait behind a held statement. */
const mostQueued = 1024 * 1024

interface ServingDeps {
  readonly client: Socket
  readonly server: ServerSide
  readonly front: Front
  readonly unrecorded: Unrecorded
  /** Checks that the credential is still valid. Throws or rejects with the reason if it is not. */
  readonly stillTrusted: () => void | Promise<void>
  /** Whether the session takes no more messages. */
  readonly closed: () => boolean
  /** The client has said goodbye. */
  readonly goodbye: () => void
  /** Nothing is being worked on. */
  readonly idle: () => void
  readonly fault: (error: unknown) => void
}

/**
 * Reads what the client sends, no faster than we can work on it, and works on one message after
 * another.
 */
export class Serving {
  readonly #deps: ServingDeps
  readonly #reader = new FrontendReader(longestMessage)
  // Owned by #onData(), begin() and #rest().
  #busy = false

  constructor(deps: ServingDeps) {
    this.#deps = deps
    deps.client.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  /** Whether a message is being worked on. */
  get busy(): boolean {
    return this.#busy
  }

  /** Whether part of a message has been forwarded as rows, but not its end. */
  get within(): boolean {
    return this.#reader.within
  }

  /** Waits for `first`, and then begins with what has come already. */
  begin(rest: Buffer, first: Promise<unknown>): void {
    this.#reader.push(rest)
    this.#deps.client.resume()
    this.#busy = true
    first.then(this.#goOn, this.#failed)
  }

  #onData(chunk: Buffer): void {
    const { client, closed } = this.#deps
    if (closed()) return
    this.#reader.push(chunk)
    if (this.#busy) {
      // Let the rest wait at the client.
      if (this.#reader.pending > mostQueued) client.pause()
    } else {
      this.#busy = true
      this.#goOn()
    }
  }

  /**
   * Works on what has come until something has to be waited for, and continues after that. Where
   * nothing has to be waited for, no promise is made.
   */
  readonly #goOn = (): void => {
    const { client } = this.#deps
    try {
      for (;;) {
        const work = this.#room() ?? this.#next()
        if (work === null) break
        if (work) return void work.then(this.#goOn, this.#failed)
        if (client.isPaused() && this.#reader.pending <= mostQueued) client.resume()
      }
      // The next message is longer than what may wait.
      if (client.isPaused()) client.resume()
    } catch (error) {
      return this.#failed(error)
    }
    this.#rest()
  }

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof Over)) this.#deps.fault(error)
    this.#rest()
  }

  #rest(): void {
    this.#busy = false
    this.#deps.idle()
  }

  /** What has to be waited for before anything else may be sent, or `null`. */
  #room(): Promise<void> | null {
    const { server, unrecorded } = this.#deps
    if (unrecorded.full) return server.until(() => !unrecorded.full)
    return server.full ? server.room() : null
  }

  /** Works on what comes next; `null` where nothing has come. */
  #next(): Promise<void> | void | null {
    const { server, front, stillTrusted, closed, goodbye } = this.#deps
    if (closed()) return null
    const rows = this.#reader.rows(server.answers.copyIn)
    if (rows) return front.pass(rows)
    const message = this.#reader.next()
    if (!message) return null
    if (message.type === 'X') return goodbye()
    if (message.type !== 'Q' && message.type !== 'B' && message.type !== 'E')
      return front.take(message)
    const looking = stillTrusted()
    return looking ? looking.then(() => front.take(message)) : front.take(message)
  }
}
