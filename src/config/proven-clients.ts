import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** The connections of a listener whose clients proved themselves with a certificate. */
export class ProvenClients {
  readonly #sockets = new Set<TLSSocket>()
  // Owned by mistrust(): how often other authorities have come to count, or something was revoked.
  #times = 0
  /**
   * That, when a client began to agree on keys: its certificate is judged by the authorities of
   * then. By the ends of its connection.
   */
  readonly #since = new Map<string, number>()

  /** A client may begin to agree on keys, and take its time. */
  begin(raw: Socket): void {
    const ends = endsOf(raw)
    this.#since.set(ends, this.#times)
    raw.once('close', () => this.#since.delete(ends))
  }

  /** Takes in a connection on which keys have been agreed on. */
  add(socket: TLSSocket): void {
    if (!socket.authorized) return
    if (this.#since.get(endsOf(socket)) !== this.#times) {
      socket.authorized = false
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /**
   * Whoever was let in by other authorities, or before something was revoked, has to prove it
   * again, on another connection.
   */
  mistrust(): void {
    this.#times += 1
    for (const socket of this.#sockets) socket.authorized = false
    this.#sockets.clear()
  }
}

/**
 * Names a connection, with TLS or without: Node does not say which one it is that has become a
 * secure one.
 */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}
