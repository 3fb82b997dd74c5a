import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { endsOf, ProvenClients } from './proven-clients.ts'
import type { TlsConfig } from './schema.ts'
import { clientOptions, secureOptions } from './tls-options.ts'
import { TlsWatch, type Log } from './tls-watch.ts'

/**
 * TLS for a protocol that begins it on connections that are there already, with the certificate
 * that its files have now. The constructor throws `MistakesError` when nobody can be served with
 * them at the start.
 */
export class TlsEntrance {
  // This server never listens. It is here because Node.js tells the result of checking a client's
  // certificate only for connections of a server.
  readonly #server: Server
  readonly #watch: TlsWatch
  readonly #config: TlsConfig
  readonly #proven = new ProvenClients()
  /** Connections whose TLS handshake is under way, by their two ends. */
  readonly #agreeing = new Map<string, (socket: TLSSocket) => void>()

  /**
   * `protocol`: its name in the ALPN extension (RFC 7301). Clients that offer only other protocols
   * are turned away; those that offer none are not.
   */
  constructor(config: TlsConfig, log: Log, protocol: string) {
    this.#config = config
    this.#watch = new TlsWatch(config, log)
    this.#server = createServer({
      ...secureOptions(config, this.#watch.material),
      ...clientOptions(config),
      ALPNProtocols: [protocol],
    })
    this.#server.on('secureConnection', (socket) => {
      const agreed = this.#agreeing.get(endsOf(socket))
      // Closed: nobody waits for this connection any more.
      if (!agreed) return void socket.destroy()
      this.#proven.add(socket)
      agreed(socket)
    })
  }

  /** Begins to check the files for changes. `called`: names the listener in the log. */
  open(called: object): void {
    this.#watch.begin({
      renew: (material) => this.#server.setSecureContext(secureOptions(this.#config, material)),
      mistrust: () => this.#proven.mistrust(),
      called,
    })
  }

  close(): void {
    this.#watch.end()
  }

  /**
   * Does the TLS handshake with a client, and waits for it as long as the connection stays open.
   * Resolves with the encrypted connection. Rejects when `raw` is closed: by the client, or because
   * the client has no certificate where one is required.
   */
  begin(raw: Socket): Promise<TLSSocket> {
    const ends = endsOf(raw)
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        this.#agreeing.delete(ends)
        reject(new Error('the TLS handshake failed'))
      }
      if (raw.destroyed) return gone()
      this.#proven.begin(raw)
      raw.once('close', gone)
      this.#agreeing.set(ends, (socket) => {
        raw.off('close', gone)
        this.#agreeing.delete(ends)
        resolve(socket)
      })
      this.#server.emit('connection', raw)
    })
  }
}
