import type { Readable } from 'node:stream'
import { Problem } from '../../core/errors.ts'
import type { Room } from './rooms.ts'
import type { Framing } from './strict/strict-request.ts'

/**
 * How long we wait for a client in the middle of a body. With more patience, slow clients could
 * fill the memory.
 */
export interface Patience {
  /** Milliseconds for which the client may be silent. */
  readonly silence: number
  /** The fewest bytes a second, measured once we have waited that long in total; 0 for no limit. */
  readonly rate: number
}

/**
 * Where a body goes. `write` returns `false` when it must not be called again before `drained`
 * resolves.
 */
export interface BodySink {
  write(bytes: Buffer): boolean
  whenDrained(drained: () => void): void
}

/** The result of taking a body in. */
export type Taken = 'whole' | 'too large' | 'no room'

/**
 * The client went away, stopped sending, or broke its own framing. There is nobody left to answer.
 */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

/**
 * The body of one request. It is taken in as far as it has to be looked at, and forwarded byte for
 * byte. Nothing is read before `take` or `pump` is called, so the body of a refused request is not
 * read.
 */
export class RequestBody {
  readonly framing: Framing
  readonly #message: Readable
  readonly #askForIt: () => void
  readonly #room: Room
  readonly #patience: Patience

  // Owned by #read: the bytes that were taken in, in order.
  readonly #chunks: Buffer[] = []
  #size = 0
  #ended: boolean
  #begun = false
  // Also owned by #read: how many bytes have come, and for how many milliseconds we have waited for
  // the client.
  #received = 0
  #waited = 0

  /**
   * `room` is what the body is taken into; `askForIt` sends `100 Continue` to a client that waits
   * for it (RFC 9110 §10.1.1).
   */
  constructor(
    message: Readable,
    framing: Framing,
    { room, patience, askForIt }: { room: Room; patience: Patience; askForIt: () => void },
  ) {
    this.#message = message
    this.framing = framing
    this.#room = room
    this.#patience = patience
    this.#askForIt = askForIt
    this.#ended = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)
  }

  get empty(): boolean {
    return this.#ended && this.#size === 0
  }

  /**
   * Takes the body in, unless it has more than `limit` bytes or there is no room. It can still be
   * pumped afterwards. Rejects with `ClientGone`.
   */
  async take(limit: number): Promise<Taken> {
    if (this.framing.kind === 'length' && this.framing.bytes > limit) return 'too large'
    let fits = true
    if (!this.#ended && this.#size <= limit) {
      await this.#read((chunk) => {
        this.#chunks.push(chunk)
        this.#size += chunk.length
        fits = this.#room.take(chunk.length)
        return fits && this.#size <= limit
      })
    }
    if (this.#size > limit) return 'too large'
    return fits && this.#ended ? 'whole' : 'no room'
  }

  /** The bytes that were taken in. */
  get taken(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks.push(Buffer.concat(this.#chunks.splice(0)))
    return this.#chunks[0]!
  }

  /**
   * Writes the whole body to a sink, no faster than it takes it. Rejects with `ClientGone` when the
   * rest does not come.
   */
  async pump(sink: BodySink): Promise<void> {
    let writable = true
    for (const chunk of this.#chunks.splice(0)) writable = sink.write(chunk)
    while (!this.#ended) {
      if (!writable) await new Promise<void>((drained) => sink.whenDrained(drained))
      await this.#read((chunk) => (writable = sink.write(chunk)))
    }
  }

  /** Reads to the end, or until `accept` wants no more for now. */
  #read(accept: (chunk: Buffer) => boolean): Promise<void> {
    const message = this.#message
    if (!this.#begun) {
      this.#begun = true
      this.#askForIt()
    }
    const begun = performance.now()
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        done()
        reject(new ClientGone('The rest of the request body did not come.'))
      }
      const timer = setTimeout(() => message.destroy(), this.#patience.silence)
      const data = (chunk: Buffer): void => {
        timer.refresh()
        this.#received += chunk.length
        if (this.#drips(performance.now() - begun)) {
          message.destroy()
          return
        }
        if (accept(chunk)) return
        message.pause()
        done()
        resolve()
      }
      const end = (): void => {
        this.#ended = true
        done()
        resolve()
      }
      const done = (): void => {
        clearTimeout(timer)
        this.#waited += performance.now() - begun
        message.off('data', data).off('end', end).off('close', gone).off('error', gone)
      }
      message.on('data', data).on('end', end).on('close', gone).on('error', gone)
      if (message.destroyed) gone()
      else message.resume()
    })
  }

  /**
   * Whether the client sends so slowly that the body would never end. Counts only the time that we
   * wait for the client, since a slow upstream is not its fault.
   */
  #drips(waiting: number): boolean {
    const { silence, rate } = this.#patience
    if (rate === 0) return false
    return this.#waited + waiting > silence + (this.#received / rate) * 1000
  }
}

/**
 * Takes in a whole body, for an action that people have to approve. Rejects with `body-too-large`
 * and other problems.
 */
export async function takeWhole(body: RequestBody, limit: number): Promise<Buffer> {
  switch (await body.take(limit)) {
    case 'whole':
      return body.taken
    case 'too large':
      throw new Problem(
        'body-too-large',
        `This action has to be approved, and its body has more than ${limit} bytes, so it cannot be shown as a whole.`,
      )
    case 'no room':
      throw new Problem(
        'too-many-holds',
        'There is no room for this body here: too many wait for approval already. Wait for their answers first.',
      )
  }
}
