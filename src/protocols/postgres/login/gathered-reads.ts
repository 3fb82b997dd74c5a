import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { giveBack } from '../wire/give-back.ts'

/**
 * What a session needs of the connection to its server. Bytes of a `data` event are valid only
 * until it reads on.
 */
export interface ServerSocket {
  readonly destroyed: boolean
  readonly writableLength: number
  on(event: 'data', listener: (bytes: Buffer) => void): unknown
  on(event: 'drain' | 'end' | 'close' | 'error', listener: () => void): unknown
  write(bytes: Buffer, written?: () => void): boolean
  cork(): void
  uncork(): void
  pause(): unknown
  resume(): unknown
  isPaused(): boolean
  end(): unknown
  destroy(): unknown
}

/** Bytes of the buffer of an idle connection, and of one that streams. */
const small = 8 * 1024
const large = 256 * 1024
const nothing = Buffer.alloc(0)

/**
 * Does for connections inside TLS what `staticReads` does for those without. With TLS, Node
 * allocates a buffer for every record, and a server's records are small. They are gathered while
 * the listener is busy with earlier ones, and their memory is returned at once.
 */
export class GatheredReads extends EventEmitter implements ServerSocket {
  readonly #socket: Socket
  // Owned by #keep() and #give(): the buffer being filled, and the one that was given out last,
  // which may be in use until resume().
  #filling: Buffer = nothing
  #given: Buffer = nothing
  #filled = 0
  #paused = true
  /** Events that came after the bytes that are kept here, and wait for those to be given out. */
  readonly #later: ('end' | 'close')[] = []

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#keep(bytes))
    socket.on('drain', () => this.emit('drain'))
    socket.on('error', () => socket.destroy())
    for (const event of ['end', 'close'] as const)
      socket.on(event, () => {
        this.#later.push(event)
        this.#give()
      })
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  get writableLength(): number {
    return this.#socket.writableLength
  }

  write(bytes: Buffer, written?: () => void): boolean {
    return this.#socket.write(bytes, written)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#give()
  }

  isPaused(): boolean {
    return this.#paused
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #keep(bytes: Buffer): void {
    const needed = this.#filled + bytes.length
    if (needed > this.#filling.length) {
      const larger = Buffer.allocUnsafeSlow(needed <= small ? small : Math.max(large, needed))
      this.#filling.copy(larger, 0, 0, this.#filled)
      this.#filling = larger
    }
    bytes.copy(this.#filling, this.#filled)
    this.#filled = needed
    giveBack(bytes)
    this.#give()
  }

  #give(): void {
    if (!this.#paused && this.#filled > 0) {
      const whole = this.#filling
      const bytes = whole.subarray(0, this.#filled)
      this.#filling = this.#given
      // Most sessions have one long answer now and then, and need no large buffer in between.
      if (this.#filling.length > small && bytes.length < small) this.#filling = nothing
      this.#given = whole
      this.#filled = 0
      this.emit('data', bytes)
    }
    // While the listener is busy, it has not dealt with the bytes that come before these events.
    if (!this.#paused && this.#filled === 0)
      for (const event of this.#later.splice(0)) this.emit(event)
    // Let the rest wait at the server.
    if (this.#filled > large / 2) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }
}
