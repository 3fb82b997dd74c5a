import type { Socket } from 'node:net'
import type { Front } from './front.ts'
import { Over, type ServerSide } from './server-side.ts'
import type { Unrecorded } from './unrecorded.ts'
import { FrontendReader } from './wire/frontend.ts'

/** Bytes of the longest message: statements, values, and rows that are copied in. */
const longestMessage = 16 * 1024 * 1024
/** Bytes that may wait behind a statement that is held. */
const mostQueued = 1024 * 1024

interface ServingDeps {
  readonly client: Socket
  readonly server: ServerSide
  readonly front: Front
  readonly unrecorded: Unrecorded
  /** Whether the credential is still worth something. Throws why not. */
  readonly stillTrusted: () => void | Promise<void>
  /** Whether the session takes nothing more. */
  readonly closed: () => boolean
  /** The client has said goodbye. */
  readonly goodbye: () => void
  /** Nothing is being worked on. */
  readonly idle: () => void
  readonly fault: (error: unknown) => void
}

/** Reads what the client sends, no faster than it can be worked on, and works on one message after the other. */
export class Serving {
  readonly #deps: ServingDeps
  readonly #reader = new FrontendReader(longestMessage)
  // Owned by #serve().
  #busy = false

  constructor(deps: ServingDeps) {
    this.#deps = deps
    deps.client.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  /** Whether a message is being worked on. */
  get busy(): boolean {
    return this.#busy
  }

  /** Whether a part of a message has gone on as rows, and its end has not. */
  get within(): boolean {
    return this.#reader.within
  }

  /** Begins with what has come already, after `first` is done. */
  begin(rest: Buffer, first: () => Promise<unknown>): void {
    this.#reader.push(rest)
    this.#deps.client.resume()
    void this.#serve(first)
  }

  #onData(chunk: Buffer): void {
    const { client, closed } = this.#deps
    if (closed()) return
    this.#reader.push(chunk)
    if (this.#busy) {
      // The rest may wait with the client.
      if (this.#reader.pending > mostQueued) client.pause()
    } else {
      void this.#serve(() => undefined)
    }
  }

  async #serve(first: () => unknown): Promise<void> {
    const { closed, idle, fault } = this.#deps
    if (this.#busy || closed()) return
    this.#busy = true
    try {
      await first()
      await this.#serveAll()
    } catch (error) {
      if (!(error instanceof Over)) fault(error)
    } finally {
      this.#busy = false
      idle()
    }
  }

  async #serveAll(): Promise<void> {
    const { client, server, unrecorded } = this.#deps
    for (let work = this.#next(); work !== null; work = this.#next()) {
      if (work) await work
      if (unrecorded.full) await server.until(() => !unrecorded.full)
      if (server.full) await server.room()
      if (client.isPaused() && this.#reader.pending <= mostQueued) client.resume()
    }
    // A message that is longer than what may wait.
    if (client.isPaused()) client.resume()
  }

  /** Works on what comes next; `null` where nothing does. */
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
