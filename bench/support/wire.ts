import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { cstring, int32, message, query } from '../../src/protocols/postgres/wire/messages.ts'

/** A client that looks at nothing but the end of an answer, so that what is measured is not the client. */
export class BareClient {
  readonly socket: Socket
  // Owned by #read().
  #tail: Buffer = Buffer.alloc(0)
  #bytes = 0
  #done: (() => void) | null = null

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** `secure`: over TLS, with any certificate. */
  static async open(
    port: number,
    database: string,
    token: string,
    secure = false,
  ): Promise<BareClient> {
    const socket = await dial(port, secure)
    const client = new BareClient(socket)
    const ready = client.#answered()
    const parameters = Buffer.from(`user\0postgres\0database\0${database}\0\0`)
    socket.write(message('', int32(3 << 16), parameters))
    // A server that asks for no password takes this for the beginning of the session, and refuses it.
    const [first] = (await once(socket, 'data')) as [Buffer]
    if (first.readInt32BE(5) === 3) socket.write(message('p', cstring(token)))
    await ready
    return client
  }

  /** Resolves with the bytes of the answer. */
  async ask(sql: string): Promise<number> {
    this.#bytes = 0
    const answered = this.#answered()
    this.socket.write(query(sql))
    await answered
    return this.#bytes
  }

  /** Copies this many chunks in, no faster than they are taken. */
  async copyIn(sql: string, chunk: Buffer, count: number): Promise<void> {
    const answered = this.#answered()
    this.socket.write(query(sql))
    await once(this.socket, 'data')
    const row = message('d', chunk)
    for (let i = 0; i < count; i++) if (!this.socket.write(row)) await once(this.socket, 'drain')
    this.socket.write(message('c'))
    await answered
  }

  /** Resolves when these words have come in the answer, which may go on. Rejects with the error that comes instead. */
  async until(words: string, sql: string): Promise<void> {
    this.socket.write(query(sql))
    for (let said = ''; !said.includes(words);) {
      const [chunk] = (await once(this.socket, 'data')) as [Buffer]
      said += chunk.toString('latin1')
      if (said.includes('SERROR') || said.includes('SFATAL')) throw new Error(said)
    }
  }

  close(): void {
    this.socket.destroy()
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => (this.#done = resolve))
  }

  #read(chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-6)]).subarray(-6)
    // ReadyForQuery, outside of a transaction.
    if (this.#tail.toString('latin1') !== 'Z\0\0\0\x05I') return
    this.#done?.()
  }
}

async function dial(port: number, secure: boolean): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  if (!secure) return socket
  socket.write(message('', int32(80_877_103)))
  await once(socket, 'data')
  socket.pause()
  const inside = connectTls({ socket, rejectUnauthorized: false })
  await once(inside, 'secureConnect')
  return inside
}
