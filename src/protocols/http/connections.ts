import type { Socket } from 'node:net'
import type { Config } from '../../config/schema.ts'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'

type Limits = Pick<
  Config['listen']['agents'],
  'max_connections' | 'max_connections_per_address' | 'max_connections_per_subject' | 'idle_timeout'
>

/**
 * One connection that is open, and whose it is: an address's, until somebody has shown who it is on
 * it.
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
 * Counts the connections of agents, so that neither an address nor a subject can have them all.
 * What is beyond the limits before anybody has shown a credential is closed without an answer:
 * whoever floods a listener reads none.
 */
export class Connections {
  readonly #limits: Limits
  readonly #log: Log
  readonly #open = new Map<string, Open>()
  readonly #strangers = new Map<string, number>()
  readonly #subjects = new Map<string, number>()
  /** Those on which somebody has shown who it is, by whichever of its layers they did. */
  readonly #identified = new WeakSet<object>()
  // Owned by #turnAway().
  #turnedAway = 0
  #said = -Infinity

  constructor(limits: Limits, log: Log) {
    this.#limits = limits
    this.#log = log
  }

  /** A connection was accepted: before TLS, and before a byte was read. */
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
   * Somebody has shown who it is. The first one on a connection has it from then on. Throws
   * `too-many-connections`.
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

  /** Ends them all: in the middle of a handshake, of a request, or of what one has become. */
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

/** Names a connection, from whichever of its layers: TCP, TLS, HTTP/2. `null` once it is closed. */
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
