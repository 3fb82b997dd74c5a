import type { Socket } from 'node:net'
import { BackendReader } from '../wire/backend.ts'

interface Waiting {
  readonly resolve: (message: { type: string; body: Buffer }) => void
  readonly reject: (error: Error) => void
}

/**
 * Reads a server's messages one by one during the login, until the session takes the socket over.
 */
export class Conversation {
  readonly #socket: Socket
  readonly #reader = new BackendReader()
  #waiting: Waiting | null = null
  #over: Error | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#onData)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    socket.pause()
  }

  get socket(): Socket {
    return this.#socket
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next message. Rejects when the connection is over, or what came is not the protocol. */
  next(): Promise<{ type: string; body: Buffer }> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#look()
    })
  }

  /**
   * Leaves the socket paused and without listeners, with all bytes that were not read put back into
   * it.
   */
  end(): void {
    this.#socket.pause()
    const rest = this.#reader.drain()
    if (rest.length > 0 && !this.#socket.destroyed) this.#socket.unshift(rest)
    this.#socket.off('data', this.#onData)
    this.#socket.off('error', this.#onError)
    this.#socket.off('close', this.#onClose)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#socket.pause()
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#over ??= error as Error
    }
    this.#look()
  }

  readonly #onError = (error: Error): void => this.#fail(error)

  readonly #onClose = (): void => this.#fail(new Error('it closed the connection'))

  #look(): void {
    const waiting = this.#waiting
    if (!waiting) return
    try {
      const piece = this.#over ? null : this.#reader.next()
      if (this.#over) throw this.#over
      if (!piece) {
        this.#socket.resume()
        return
      }
      this.#waiting = null
      waiting.resolve({ type: piece.type, body: piece.bytes.subarray(5) })
    } catch (error) {
      this.#waiting = null
      waiting.reject(error as Error)
    }
  }

  #fail(error: Error): void {
    this.#over ??= error
    this.#look()
  }
}
