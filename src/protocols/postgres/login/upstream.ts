import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { PostgresResource } from '../../../config/schema.ts'
import { staticReads } from '../../../core/static-reads.ts'
import { BodyReader } from '../wire/body-reader.ts'
import { message, readReport } from '../wire/messages.ts'
import { authenticate } from './authenticate.ts'
import { SaltedPasswords } from './scram.ts'
import { UpstreamRefusal } from './upstream-refusal.ts'
import { Conversation } from './conversation.ts'
import { GatheredReads, type ServerSocket } from './gathered-reads.ts'

/** A connection that is logged in and ready for queries. The client has seen nothing of it yet. */
export interface UpstreamConnection {
  readonly socket: ServerSocket
  readonly process: number
  /** The server's key for cancelling. Agents get another one. */
  readonly secret: Buffer
  /** The settings that the server has reported. */
  readonly parameters: ReadonlyMap<string, string>
  /** Notices of the server, as messages: a changed collation, a name that was cut off. */
  readonly notices: readonly Buffer[]
}

/** Milliseconds within which a server has to answer. */
const patience = 15_000

/** Where a resource leads, and how the gateway gets in. */
export class Upstream {
  readonly #config: PostgresResource
  readonly #tls: ConnectionOptions | null
  readonly #passwords: SaltedPasswords

  constructor(config: PostgresResource) {
    this.#config = config
    this.#tls = tlsOptions(config)
    this.#passwords = new SaltedPasswords(config.credential.password)
  }

  /** Connects and logs in with these start-up parameters. Rejects with an `UpstreamRefusal`. */
  async logIn(parameters: ReadonlyMap<string, string>): Promise<UpstreamConnection> {
    const socket = await this.#connect()
    const conversation = new Conversation(socket)
    const late = setTimeout(() => socket.destroy(new Error('it took too long')), patience)
    try {
      const { user } = this.#config.credential
      conversation.send(startup(new Map([['user', user], ...parameters])))
      await authenticate(conversation, this.#config.credential, this.#passwords)
      const ready = await untilReady(conversation)
      return { socket: this.#tls ? new GatheredReads(socket) : socket, ...ready }
    } catch (error) {
      socket.destroy()
      throw error instanceof UpstreamRefusal ? error : unreachable(error)
    } finally {
      clearTimeout(late)
      conversation.end()
    }
  }

  /**
   * Asks the server to cancel what a connection runs. The server never answers that; it closes the
   * connection when it has done so, and then this resolves.
   */
  async cancel({ process, secret }: Pick<UpstreamConnection, 'process' | 'secret'>): Promise<void> {
    const socket = await this.#connect()
    const head = Buffer.alloc(8)
    head.writeUInt32BE(80_877_102, 0)
    head.writeInt32BE(process, 4)
    socket.on('error', () => socket.destroy())
    socket.setTimeout(patience, () => socket.destroy())
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', () => resolve())
    socket.end(message('', head, secret))
    socket.resume()
    await promise
  }

  /** Resolves with a fresh connection, inside TLS where that is configured. */
  async #connect(): Promise<Socket> {
    const { host, port } = this.#config.upstream
    const raw: Socket = connectTcp({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      // With TLS this has no effect; `GatheredReads` takes its place.
      ...(!this.#tls && { onread: staticReads(() => raw) }),
    })
    const late = setTimeout(() => raw.destroy(new Error('it took too long')), patience)
    try {
      await settled(raw, 'connect')
      if (!this.#tls) return raw
      const answer = await askForTls(raw)
      // Closed: a server without TLS could be anybody.
      if (answer !== 'S') throw new UpstreamRefusal('08001', 'The database does not speak TLS.')
      const secure = connectTls({ ...this.#tls, socket: raw })
      await settled(secure, 'secureConnect')
      return secure
    } catch (error) {
      raw.destroy()
      throw error instanceof UpstreamRefusal ? error : unreachable(error)
    } finally {
      clearTimeout(late)
    }
  }
}

function tlsOptions({ upstream, ca }: PostgresResource): ConnectionOptions | null {
  const { host, tls } = upstream
  if (tls === 'disable') return null
  return {
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['postgresql'],
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(tls === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

/**
 * Resolves with one letter: `S` or `N`. Anything after it was injected before TLS began, and is
 * refused (CVE-2021-23222).
 */
async function askForTls(socket: Socket): Promise<string> {
  const request = Buffer.alloc(4)
  request.writeUInt32BE(80_877_103)
  socket.write(message('', request))
  const answer = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('it closed the connection')))
  })
  socket.pause()
  socket.removeAllListeners()
  if (answer.length !== 1) throw new Error('it sent more than an answer to the request for TLS')
  return answer.toString('latin1')
}

function settled(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.removeListener('error', reject)
      resolve()
    })
    socket.once('error', reject)
  })
}

function startup(parameters: ReadonlyMap<string, string>): Buffer {
  const version = Buffer.alloc(4)
  version.writeUInt32BE(3 << 16)
  const pairs = [...parameters].map(([name, value]) => Buffer.from(`${name}\0${value}\0`))
  return message('', version, ...pairs, Buffer.alloc(1))
}

async function untilReady(conversation: Conversation): Promise<Omit<UpstreamConnection, 'socket'>> {
  const parameters = new Map<string, string>()
  const notices: Buffer[] = []
  let key: { process: number; secret: Buffer } | null = null
  for (;;) {
    const { type, body } = await conversation.next()
    const reader = new BodyReader(body)
    if (type === 'S') parameters.set(reader.text(), reader.text())
    else if (type === 'K') key = { process: reader.int32(), secret: Buffer.from(reader.rest()) }
    else if (type === 'E') throw UpstreamRefusal.of(readReport(body))
    else if (type === 'Z') break
    else if (type === 'N') notices.push(message('N', body))
    else throw new Error(`it answered the login with ${type}`)
  }
  if (!key) throw new Error('it gave no key for cancelling')
  return { ...key, parameters, notices }
}

function unreachable(cause: unknown): UpstreamRefusal {
  const message = 'The database behind this gateway cannot be reached.'
  return new UpstreamRefusal('08001', message, { cause })
}
