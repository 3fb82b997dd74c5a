import type { TLSSocket } from 'node:tls'

/** The connections of a listener whose clients proved themselves with a certificate. */
export class ProvenClients {
  readonly #sockets = new Set<TLSSocket>()

  /** Takes in a connection on which keys have been agreed on. */
  add(socket: TLSSocket): void {
    if (!socket.authorized) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Whoever was let in by other authorities, or before something was revoked, has to prove it again, on another connection. */
  mistrust(): void {
    for (const socket of this.#sockets) socket.authorized = false
    this.#sockets.clear()
  }
}
