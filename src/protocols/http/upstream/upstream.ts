import { readFileSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import type * as tls from 'node:tls'
import type { HttpResource } from '../../../config/schema.ts'
import { dial, dialStatic, dialTls, type Address } from '../../../core/dial.ts'
import { Connection } from './connection.ts'
import { UpstreamFailure } from './failure.ts'
import { Pool } from './pool.ts'

/** Milliseconds within which a connection has to be made, including TLS. */
const connectTimeout = 10_000

/** Where the requests for one resource go. */
export class Upstream {
  /** The value of the Host header. */
  readonly authority: string
  /** Prefixed to the path of every request; without a trailing slash. */
  readonly basePath: string
  readonly #silence: number
  readonly #dial: () => Socket
  readonly #dialForHttp: () => Socket
  readonly #ready: 'connect' | 'secureConnect'
  readonly #pool = new Pool()
  readonly #open = new Set<Socket>()
  // Owned by #dialTls: the TLS session that the next connection resumes.
  #session: Buffer | undefined

  /**
   * `timeout`: milliseconds for which the upstream may be silent. Throws if the file of `ca` cannot
   * be read.
   */
  constructor({ upstream, ca, timeout }: Pick<HttpResource, 'upstream' | 'ca' | 'timeout'>) {
    const url = new URL(upstream)
    const secure = url.protocol === 'https:'
    this.authority = url.host
    this.basePath = url.pathname.replace(/\/+$/, '')
    this.#silence = timeout
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port) || (secure ? 443 : 80)
    const address = { host, port }
    this.#ready = secure ? 'secureConnect' : 'connect'
    this.#dial = secure ? this.#dialTls(address, ca) : () => dial(address)
    // Static reads are safe, because the parser keeps nothing of what it is given. TLS has buffers
    // of its own.
    this.#dialForHttp = secure ? this.#dial : () => dialStatic(address)
  }

  /**
   * A connection for one request of this lane. Rejects with an `UpstreamFailure` when there is
   * none: refused, not found, not trusted, a blocked address, or too slow.
   */
  connect(lane: string): Promise<Connection> | Connection {
    return this.#pool.take(lane) ?? this.#connectAnew(lane, this.#dialForHttp)
  }

  /** A new connection, for a request after which it may speak another protocol. */
  connectToUpgrade(lane: string): Promise<Connection> {
    return this.#connectAnew(lane, this.#dial)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #connectAnew(lane: string, dialled: () => Socket): Promise<Connection> {
    const socket = dialled()
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        clearTimeout(timer)
        reject(new UpstreamFailure('upstream-unreachable', unreachable(error), false, error))
      }
      const timer = setTimeout(
        () => socket.destroy(new Error(`There was no connection after ${connectTimeout} ms.`)),
        connectTimeout,
      )
      socket.once('error', failed)
      socket.once(this.#ready, () => {
        clearTimeout(timer)
        socket.off('error', failed)
        const connection = new Connection(
          socket,
          this.#silence,
          () => this.#pool.rest(lane, connection),
          () => this.#pool.forget(lane, connection),
        )
        resolve(connection)
      })
    })
  }

  #dialTls(address: Address, ca: string | undefined): () => Socket {
    const { host } = address
    const options: tls.ConnectionOptions = {
      // Stated although it is the default: an upstream that cannot prove who it is gets no
      // credential.
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      // Without a host name, the certificate has to be for the address.
      ...(isIP(host) ? { host } : { host, servername: host }),
      ...(ca !== undefined && { ca: readFileSync(ca) }),
    }
    return () => {
      const session = this.#session && { session: this.#session }
      const socket = dialTls(address, { ...options, ...session })
      socket.on('session', (session) => (this.#session = session))
      socket.once('error', () => (this.#session = undefined))
      return socket
    }
  }
}

/**
 * What to tell an agent: that the upstream is not there or not trusted, without addresses of an
 * inner network.
 */
function unreachable(error: NodeJS.ErrnoException): string {
  const code = error.code ?? ''
  if (code === 'ERR_IP_BLOCKED') return 'The upstream has an address that no upstream may have.'
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code))
    return `The upstream cannot prove who it is (${code}).`
  return `The upstream cannot be reached${code ? ` (${code})` : ''}.`
}
