import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { giveBack } from '../wire/give-back.ts'

/**
 * What a session needs of the connection to its server. What it gives as `data` is good until it
 * reads on.
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

/** Bytes of a buffer that waits, and of one that reads a stream. */
const small = 8 * 1024
const large = 256 * 1024
const nothing = Buffer.alloc(0)

/**
 * Reads from a connection inside of TLS as `staticReads` does from one without. There, Node makes a
 * buffer for every record, and a server's records are small: they are put together while whoever
 * listens is busy with those before, and their memory is given back at once.
 */
export class GatheredReads extends EventEmitter implements ServerSocket {
  readonly #socket: Socket
  // Owned by #keep() and #give(): what is being filled, and what was given last, which may be in
  // use until resume().
  #filling: Buffer = nothing
  #given: Buffer = nothing
  #filled = 0
  #paused = true
  /** What has happened behind what is kept here. */
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
      // Most sessions have one long answer now and then, and nothing to read in between.
      if (this.#filling.length > small && bytes.length < small) this.#filling = nothing
      this.#given = whole
      this.#filled = 0
      this.emit('data', bytes)
    }
    // While whoever listens is busy, what was given has not been dealt with.
    if (!this.#paused && this.#filled === 0)
      for (const event of this.#later.splice(0)) this.emit(event)
    // The rest may wait with the server.
    if (this.#filled > large / 2) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }
}
