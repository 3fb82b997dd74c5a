import type { ServerOptions } from 'node:http'
import { Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ProvenClients } from './proven-clients.ts'
import type { TlsConfig } from './schema.ts'
import { clientOptions, secureOptions } from './tls-options.ts'
import { TlsWatch, type Log } from './tls-watch.ts'

/** The longest that a TLS handshake may take, in milliseconds. */
const handshakeTimeout = 20_000

interface Options extends ServerOptions {
  /**
   * Takes the connections of clients that prefer HTTP/2. Without it only HTTP/1.1 is offered, and
   * clients that do not speak it are turned away.
   */
  readonly onHttp2?: (socket: TLSSocket) => void
}

/**
 * A server for HTTP/1.1 over TLS, with the certificate that is in its files now: when they change,
 * new connections get the new one, and existing connections stay. Files that cannot be used change
 * nothing, and the log says why. The constructor throws a `MistakesError` when they cannot be used
 * at the start.
 */
export class TlsServer extends Server {
  readonly #sockets = new Set<Socket>()
  readonly #proven = new ProvenClients()

  constructor(config: TlsConfig, log: Log, { onHttp2, ...options }: Options = {}) {
    const watch = new TlsWatch(config, log)
    super({
      ...options,
      ...secureOptions(config, watch.material),
      ...clientOptions(config),
      ALPNProtocols: onHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout,
    })
    if (onHttp2) this.#divert(onHttp2)
    this.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      this.#proven.begin(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.on('secureConnection', (socket) => this.#proven.add(socket))
    this.on('listening', () => {
      const { port } = this.address() as AddressInfo
      watch.begin({
        renew: (material) => this.setSecureContext(secureOptions(config, material)),
        mistrust: () => {
          this.#proven.mistrust()
          this.closeIdleConnections()
        },
        called: { port },
      })
    })
    this.on('close', () => watch.end())
  }

  /**
   * Also closes connections whose handshake is not complete: Node.js leaves them out, and they
   * would keep the server from closing.
   */
  override closeAllConnections(): void {
    super.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
  }

  /**
   * Hands HTTP/2 connections on. Node.js' own listener would read every connection as HTTP/1.1,
   * whatever was negotiated.
   */
  #divert(onHttp2: (socket: TLSSocket) => void): void {
    const [onHttp1] = this.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
    this.off('secureConnection', onHttp1!)
    this.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') onHttp2(socket)
      else onHttp1!.call(this, socket)
    })
  }
}
