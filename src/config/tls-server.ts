import { constants } from 'node:crypto'
import type { ServerOptions } from 'node:http'
import { Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { MistakesError } from '../core/errors.ts'
import { readTlsFiles, readTlsFilesNow } from './read-tls-files.ts'
import type { TlsConfig } from './schema.ts'
import { tlsMaterial, type FileBytes, type TlsFiles, type TlsMaterial } from './tls-files.ts'

/** Where it is said that a certificate changed, or could not. */
interface Log {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

/** Milliseconds between two looks at the files. */
const period = 500
/** Milliseconds that a client may take to agree on keys. */
const handshakeTimeout = 20_000

interface Options extends ServerOptions {
  /** Takes the connections of clients that prefer HTTP/2. Without it HTTP/1.1 alone is offered, and who speaks nothing else is turned away. */
  readonly onHttp2?: (socket: TLSSocket) => void
}

/**
 * A server for HTTP/1.1 over TLS, with the certificate that its files have now: new connections get the changed one, those that are there stay. Files that
 * nobody could be served with change nothing, and the log says why. The constructor throws `MistakesError` when they are so at the start.
 */
export class TlsServer extends Server {
  readonly #config: TlsConfig
  readonly #log: Log
  readonly #sockets = new Set<Socket>()
  /** Connections of clients that proved themselves with a certificate. */
  readonly #proven = new Set<TLSSocket>()
  // Owned by #look(): what it saw the last time, and what was served with, or found to be wrong.
  #seen: TlsFiles
  #judged: TlsFiles

  constructor(config: TlsConfig, log: Log, { onHttp2, ...options }: Options = {}) {
    const files = readTlsFilesNow(config)
    const material = tlsMaterial(config, files)
    super({
      ...options,
      ...secureOptions(config, material),
      ...clientOptions(config),
      ALPNProtocols: onHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout,
    })
    if (onHttp2) this.#divert(onHttp2)
    this.#config = config
    this.#log = log
    this.#seen = files
    this.#judged = files
    this.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.on('secureConnection', (socket) => {
      if (!socket.authorized) return
      this.#proven.add(socket)
      socket.once('close', () => this.#proven.delete(socket))
    })
    this.on('listening', () => {
      log.info(this.#named(material), 'listening with this certificate')
      this.#lookLater()
    })
  }

  /** Those too that have not agreed on keys: Node forgets them, and they would keep the server from closing. */
  override closeAllConnections(): void {
    super.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Node's own listener reads every connection as HTTP/1.1, whatever was agreed on. */
  #divert(onHttp2: (socket: TLSSocket) => void): void {
    const [onHttp1] = this.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
    this.off('secureConnection', onHttp1!)
    this.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') onHttp2(socket)
      else onHttp1!.call(this, socket)
    })
  }

  #lookLater(): void {
    setTimeout(() => void this.#look(), period).unref()
  }

  /** Looks, and not waits to be told: a notice does not come from every file system, nor of a link that leads elsewhere now. */
  async #look(): Promise<void> {
    const files = await readTlsFiles(this.#config)
    if (!this.listening) return
    // The two are replaced one after the other: what counts is what two looks in a row see.
    if (!same(files, this.#seen)) this.#seen = files
    else if (!same(files, this.#judged)) this.#judge(files)
    this.#lookLater()
  }

  #judge(files: TlsFiles): void {
    const { ca, crl } = this.#judged
    this.#judged = files
    try {
      const material = tlsMaterial(this.#config, files)
      this.setSecureContext(secureOptions(this.#config, material))
      if (!sameBytes(ca, files.ca) || !sameBytes(crl, files.crl)) this.#mistrust()
      this.#log.info(this.#named(material), 'new connections get the changed certificate')
    } catch (error) {
      const why = error instanceof MistakesError ? { mistakes: error.mistakes } : { err: error }
      const { cert } = this.#config
      this.#log.error(
        { port: this.#port, cert, ...why },
        'the changed certificate cannot be used; the one before stays',
      )
    }
  }

  /** Whoever was let in by other authorities, or before something was revoked, has to prove it again, on another connection. */
  #mistrust(): void {
    for (const socket of this.#proven) socket.authorized = false
    this.#proven.clear()
    this.closeIdleConnections()
  }

  get #port(): number {
    return (this.address() as AddressInfo).port
  }

  #named({ fingerprint, expires }: TlsMaterial): object {
    return { port: this.#port, cert: this.#config.cert, fingerprint, expires }
  }
}

/** RFC 9325, §3 and §4: versions and cipher suites that are sound, all of them with forward secrecy. */
export function secureOptions({ min_version }: TlsConfig, { cert, key, ca, crl }: TlsMaterial) {
  return {
    cert,
    key,
    ...(ca && { ca }),
    ...(crl && { crl }),
    minVersion: min_version,
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE+AESGCM',
      'ECDHE+CHACHA20',
    ].join(':'),
    // Renegotiation costs the server more than the client, and serves no client of today (RFC 9325, §3.5). A session that is resumed would bring the
    // client's certificate along as it was judged then, whatever has been revoked since: with client certificates every connection proves it anew.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (ca ? constants.SSL_OP_NO_TICKET : 0),
  } satisfies TlsOptions
}

/**
 * Whether clients are asked for a certificate. One that does not count is let through where none is needed, as if it had none: it can still prove that a
 * token is bound to it (RFC 8705, §3), and stands for nobody by itself.
 */
function clientOptions({ client_ca, client_certificates }: TlsConfig): TlsOptions {
  if (client_ca === undefined) return {}
  return { requestCert: true, rejectUnauthorized: client_certificates === 'require' }
}

function same(a: TlsFiles, b: TlsFiles): boolean {
  return (['cert', 'key', 'ca', 'crl'] as const).every((name) => sameBytes(a[name], b[name]))
}

function sameBytes(a: FileBytes | null, b: FileBytes | null): boolean {
  if (a === null || b === null) return a === b
  if (a instanceof Error || b instanceof Error)
    return a instanceof Error && b instanceof Error && a.message === b.message
  return a.equals(b)
}
