import type { Socket } from 'node:net'
import type { Answers } from './answers.ts'
import { Joiner } from './joiner.ts'
import type { ServerSocket } from './login/gathered-reads.ts'
import { BackendReader } from './wire/backend.ts'

interface RelayInit {
  readonly server: ServerSocket
  readonly client: Socket
  readonly answers: Answers
  /** Called when what came is not the protocol, or ends the session. */
  readonly fault: (error: unknown) => void
}

/**
 * Relays the server's messages to the client, no faster than the client reads them. The answer to a
 * run waits until the run is released.
 */
export class Relay {
  readonly #init: RelayInit
  readonly #reader = new BackendReader()
  readonly #toClient = new Joiner((bytes) => this.#write(bytes))
  // Writes to the client that have not completed.
  #unwritten = 0
  // Owned by #relay(): while set, the server is not read until goOn().
  #blocked = false
  #over = false

  constructor(init: RelayInit) {
    this.#init = init
    init.server.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  /** Whether the client has got the beginning of a message, but not its end. */
  get within(): boolean {
    return this.#reader.within
  }

  /** Goes on after a run was released or the client has read. */
  goOn(): void {
    if (this.#blocked && !this.#over) this.#relay()
  }

  /** The session has ended. What was not released never will be. */
  end(): void {
    this.#over = true
  }

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#init.fault(error)
      return
    }
    this.#relay()
  }

  #relay(): void {
    const { server, fault } = this.#init
    this.#blocked = false
    try {
      this.#relayAll()
    } catch (error) {
      this.#toClient.flush()
      fault(error)
    }
    this.#toClient.flush()
    this.#blocked ||= this.#clientFull
    if (this.#blocked) server.pause()
    else if (server.isPaused()) server.resume()
  }

  #relayAll(): void {
    const { answers } = this.#init
    for (;;) {
      // Closed: the answer to a read stays here until its record is durable.
      if (answers.head?.run?.released === false) {
        this.#blocked = true
        return
      }
      const piece = this.#reader.next()
      if (!piece) return
      const bytes = answers.take(piece)
      if (bytes) this.#toClient.add(bytes)
    }
  }

  #write(bytes: Buffer): void {
    const { client } = this.#init
    if (client.destroyed) return
    this.#unwritten += 1
    client.write(bytes, this.#written)
  }

  readonly #written = (): void => {
    this.#unwritten -= 1
    this.goOn()
  }

  /**
   * A read buffer may be overwritten only once it has been written out. A client that is gone holds
   * nothing up.
   */
  get #clientFull(): boolean {
    const { writableLength, destroyed } = this.#init.client
    return this.#unwritten > 0 && writableLength > 0 && !destroyed
  }
}
