import { onTestFinished } from 'vitest'
import { connect, type Socket } from 'node:net'
import { BodyReader } from '../../../src/protocols/postgres/wire/body-reader.ts'
import {
  cstring,
  int32,
  message,
  readReport,
} from '../../../src/protocols/postgres/wire/messages.ts'
import type { DatabaseGateway } from './database.ts'

/** One message of the server's: its letter, and what is in it. */
export interface Received {
  readonly type: string
  readonly body: Buffer
}

/** A client that sends whatever bytes a test wants to send, and shows every message that comes back. */
export class WireClient {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #waiting: (() => void)[] = []
  #closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  /** Bytes that have come, and were not looked at. */
  get received(): number {
    return this.#bytes.length
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise((resolve) => socket.once('connect', resolve))
    return new WireClient(socket)
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  start(parameters: Readonly<Record<string, string>>, version = 3 << 16): void {
    const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
    this.send(message('', int32(version), Buffer.from(`${pairs.join('')}\0`)))
  }

  /** Starts, and shows the token; resolves with everything up to ReadyForQuery, or the end. */
  async logIn(database: string, token: string, version = 3 << 16): Promise<Received[]> {
    this.start({ user: 'agent', database }, version)
    this.send(message('p', cstring(token)))
    return this.until('Z')
  }

  /** The next message, or `null` when the connection is closed. */
  async next(): Promise<Received | null> {
    for (;;) {
      if (this.#bytes.length >= 5) {
        const length = this.#bytes.readUInt32BE(1) + 1
        if (this.#bytes.length >= length) {
          const whole = this.#bytes.subarray(0, length)
          this.#bytes = this.#bytes.subarray(length)
          return { type: String.fromCharCode(whole[0]!), body: whole.subarray(5) }
        }
      }
      if (this.#closed) return null
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Everything up to a message of this type, or to the end. */
  async until(type: string): Promise<Received[]> {
    const received: Received[] = []
    for (let one = await this.next(); one; one = await this.next()) {
      received.push(one)
      if (one.type === type) break
    }
    return received
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** What came, in short: errors with their code, commands with their tag, readiness with its state. */
export function shown(received: readonly Received[]): string[] {
  return received.map(({ type, body }) => {
    if (type === 'E') return `E ${readReport(body).get('C')}`
    if (type === 'C') return `C ${new BodyReader(body).text()}`
    if (type === 'Z') return `Z ${body.toString('latin1')}`
    return type
  })
}

/** A client that has logged in as the agent. It is gone after the test. */
export async function openWire(db: DatabaseGateway): Promise<WireClient> {
  const client = await WireClient.open(db.port)
  onTestFinished(() => void client.socket.destroy())
  await client.logIn(db.database, await db.gateway.agentToken())
  return client
}
