import type { Socket } from 'node:net'
import type { Config } from '../../config/schema.ts'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'

type Limits = Pick<
  Config['listen']['agents'],
  'max_connections' | 'max_connections_per_address' | 'max_connections_per_subject' | 'idle_timeout'
>

/**
 * An open connection. It counts for its address until a client has identified itself on it, and
 * then for that subject.
 */
interface Open {
  readonly address: string
  subject: string | null
  readonly stranger: NodeJS.Timeout
  readonly socket: Socket
}

/** Milliseconds between two lines in the log about connections that were turned away. */
const quiet = 10_000

/**
 * Limits the connections of agents, so that neither an address nor a subject can have them all.
 * Before a credential was shown, excess connections are closed without an answer, which a flooding
 * client would not read.
 */
export class Connections {
  readonly #limits: Limits
  readonly #log: Log
  readonly #open = new Map<string, Open>()
  readonly #strangers = new Map<string, number>()
  readonly #subjects = new Map<string, number>()
  /**
   * Connections whose client has identified itself, as the objects of whatever layer it did so on.
   */
  readonly #identified = new WeakSet<object>()
  // Owned by #turnAway().
  #turnedAway = 0
  #said = -Infinity

  constructor(limits: Limits, log: Log) {
    this.#limits = limits
    this.#log = log
  }

  /** A connection was accepted, before TLS and before any byte was read. */
  enter(socket: Socket): void {
    const { remoteAddress: address } = socket
    // It is gone already.
    if (address === undefined) return
    const { max_connections, max_connections_per_address, idle_timeout } = this.#limits
    const strangers = this.#strangers.get(address) ?? 0
    if (this.#open.size >= max_connections || strangers >= max_connections_per_address) {
      socket.destroy()
      this.#turnAway(address)
      return
    }
    const key = keyOf(socket)!
    const stranger = setTimeout(() => socket.destroy(), idle_timeout)
    const open: Open = { address, subject: null, stranger, socket }
    this.#open.set(key, open)
    this.#strangers.set(address, strangers + 1)
    socket.once('close', () => {
      clearTimeout(stranger)
      this.#open.delete(key)
      if (open.subject === null) less(this.#strangers, address)
      else less(this.#subjects, open.subject)
    })
  }

  /**
   * A client has identified itself. From then on a connection counts for the first subject on it.
   * Throws `too-many-connections`.
   */
  identify(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>, subject: string): void {
    if (this.#identified.has(socket)) return
    const key = keyOf(socket)
    const open = key === null ? undefined : this.#open.get(key)
    if (!open) return
    if (open.subject === null) this.#give(open, subject)
    this.#identified.add(socket)
  }

  #give(open: Open, subject: string): void {
    const mine = this.#subjects.get(subject) ?? 0
    const { max_connections_per_subject: most } = this.#limits
    if (mine >= most) {
      throw new Problem(
        'too-many-connections',
        `${most} of your connections are open here already. Use them, or close some.`,
      )
    }
    clearTimeout(open.stranger)
    open.subject = subject
    less(this.#strangers, open.address)
    this.#subjects.set(subject, mine + 1)
  }

  /** Ends all connections, even in the middle of a handshake, a request or a WebSocket. */
  closeAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy()
  }

  #turnAway(address: string): void {
    this.#turnedAway++
    const now = performance.now()
    if (now - this.#said < quiet) return
    this.#said = now
    this.#log.warn(
      { address, count: this.#turnedAway, open: this.#open.size },
      'connections were turned away: there are too many',
    )
    this.#turnedAway = 0
  }
}

/**
 * A key for a connection that is the same for each of its layers: TCP, TLS, HTTP/2. `null` once it
 * is closed.
 */
function keyOf({
  remoteAddress,
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort}`
}

function less(counts: Map<string, number>, key: string): void {
  const left = counts.get(key)! - 1
  if (left === 0) counts.delete(key)
  else counts.set(key, left)
}
