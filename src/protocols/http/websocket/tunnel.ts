import type { Socket } from 'node:net'
import type { WebSocketUse } from '../../../core/event.ts'
import { Problem } from '../../../core/errors.ts'
import { FrameCounter } from './frames.ts'

/**
 * The two ends of an open WebSocket, and the bytes that the upstream sent right after accepting it.
 */
interface Ends {
  readonly agent: Socket
  readonly upstream: Socket
  readonly rest: Buffer
}

/** The result of a WebSocket. */
export interface Tunnelled {
  readonly use: WebSocketUse
  /** Why it was cut; `null` if one of the two sides ended it. */
  readonly why: Problem | null
}

/** Milliseconds for what is on its way, including the last frame, to reach either side. */
const lastBytes = 5_000

/**
 * Passes a WebSocket on in both directions, no faster than each side takes it, and counts its
 * frames and bytes.
 */
export class Tunnel {
  /** Resolves when both connections are closed. */
  readonly over: Promise<Tunnelled>
  readonly #agent: Socket
  readonly #upstream: Socket
  readonly #fromAgent = new FrameCounter(true)
  readonly #toAgent = new FrameCounter(false)
  #why: Problem | null = null

  constructor({ agent, upstream, rest }: Ends) {
    this.#agent = agent
    this.#upstream = upstream
    const { promise, resolve } = Promise.withResolvers<Tunnelled>()
    this.over = promise
    let open = 2
    const closed = (): void => {
      open--
      if (open > 0) this.#end()
      else resolve({ use: this.#use(), why: this.#why })
    }
    agent.on('close', closed)
    upstream.on('close', closed)
    this.#pass(agent, upstream, this.#fromAgent)
    this.#pass(upstream, agent, this.#toAgent)
    if (rest.length > 0) upstream.emit('data', rest)
    agent.resume()
    upstream.resume()
  }

  /**
   * Ends it because it may not go on. The agent is told why if that is possible between two frames
   * (RFC 6455 §7.4.1: 1001 going away, 1008 policy).
   */
  cut(why: Problem): void {
    if (this.#why) return
    this.#why = why
    const { atBoundary } = this.#toAgent
    this.#agent.removeAllListeners('data').resume()
    this.#upstream.removeAllListeners('data').destroy()
    if (atBoundary) this.#agent.write(closeFrame(why.status >= 500 ? 1001 : 1008, why.code))
    this.#end()
  }

  #pass(from: Socket, to: Socket, counter: FrameCounter): void {
    from.on('data', (bytes: Buffer) => {
      try {
        counter.count(bytes)
      } catch (error) {
        const detail = 'A WebSocket was not framed as RFC 6455 says.'
        this.cut(new Problem('bad-request', detail, {}, { cause: error }))
        return
      }
      if (!to.write(bytes)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.on('end', () => to.end())
    // An error only means that the connection is closed, and nobody is left to be told more.
    from.on('error', () => from.destroy())
  }

  #end(): void {
    for (const socket of [this.#agent, this.#upstream]) {
      if (socket.destroyed) continue
      const timer = setTimeout(() => socket.destroy(), lastBytes)
      socket.once('close', () => clearTimeout(timer))
      socket.destroySoon()
    }
  }

  #use(): WebSocketUse {
    const [from, to] = [this.#fromAgent, this.#toAgent]
    return {
      from_agent: { frames: from.frames, bytes: from.bytes },
      to_agent: { frames: to.frames, bytes: to.bytes },
    }
  }
}

/** A server's Close frame (§5.5.1). The reason is a code, and so short enough. */
function closeFrame(status: number, reason: string): Buffer {
  const text = Buffer.from(reason)
  return Buffer.concat([Buffer.from([0x88, text.length + 2, status >> 8, status & 255]), text])
}
