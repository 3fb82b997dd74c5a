import { readFileSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import type * as tls from 'node:tls'
import type { HttpResource } from '../../../config/schema.ts'
import { dial, dialStatic, dialTls, type Address } from '../../../core/dial.ts'
import { Connection } from './connection.ts'
import { UpstreamFailure } from './failure.ts'
import { Pool } from './pool.ts'

/** Milliseconds to a connection, TLS included. */
const connectTimeout = 10_000

/** Where the requests for one resource go. */
export class Upstream {
  /** What the Host header says there. */
  readonly authority: string
  /** Put before the path of every request; without a slash at its end. */
  readonly basePath: string
  readonly #silence: number
  readonly #dial: () => Socket
  readonly #dialForHttp: () => Socket
  readonly #ready: 'connect' | 'secureConnect'
  readonly #pool = new Pool()
  readonly #open = new Set<Socket>()
  // Owned by #dialTls: the session that the next connection resumes.
  #session: Buffer | undefined

  /**
   * Reads the file of `ca`, and throws if it cannot. `timeout` is in milliseconds: how long the
   * upstream may be silent.
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
    // The parser keeps nothing of what it is given. TLS has buffers of its own.
    this.#dialForHttp = secure ? this.#dial : () => dialStatic(address)
  }

  /**
   * A connection that is ready for one request of this lane. Rejects with `UpstreamFailure` when
   * there is none: refused, not found, not trusted, an address that no upstream has, or too slow.
   */
  connect(lane: string): Promise<Connection> | Connection {
    return this.#pool.take(lane) ?? this.#connectAnew(lane, this.#dialForHttp)
  }

  /** The same for a request after which the connection may speak another protocol: a new one. */
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
      // Said aloud although it is the default: an upstream that cannot prove who it is gets no
      // credential.
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      // Without a name to ask for, it is the address that the certificate has to have.
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
 * What to tell an agent: that it is not there, or not to be trusted, and no addresses of an inner
 * network.
 */
function unreachable(error: NodeJS.ErrnoException): string {
  const code = error.code ?? ''
  if (code === 'ERR_IP_BLOCKED') return 'The upstream has an address that no upstream may have.'
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code))
    return `The upstream cannot prove who it is (${code}).`
  return `The upstream cannot be reached${code ? ` (${code})` : ''}.`
}
