import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** The connections of a listener whose clients proved who they are with a certificate. */
export class ProvenClients {
  readonly #sockets = new Set<TLSSocket>()
  // Owned by mistrust(): how many times the authorities have changed or something was revoked.
  #times = 0
  /**
   * The value of `#times` when a client began its TLS handshake, because its certificate is judged
   * by the authorities of that moment. By the two ends of the connection.
   */
  readonly #since = new Map<string, number>()

  /** A connection has been opened. Its TLS handshake may take a while. */
  begin(raw: Socket): void {
    const ends = endsOf(raw)
    this.#since.set(ends, this.#times)
    raw.once('close', () => this.#since.delete(ends))
  }

  /**
   * Adds a connection whose TLS handshake is complete. Its certificate does not count if `mistrust`
   * was called during the handshake.
   */
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
   * The certificates shown so far no longer count: they were judged by earlier authorities, or
   * before something was revoked. This closes no connections, but their clients have to prove who
   * they are again, on another one.
   */
  mistrust(): void {
    this.#times += 1
    for (const socket of this.#sockets) socket.authorized = false
    this.#sockets.clear()
  }
}

/**
 * A name for a connection, the same with and without TLS: Node.js does not say which connection a
 * TLS socket was made from.
 */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}
