import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Guest, SharedSession } from './shared-session.ts'

interface Login {
  readonly user: string
  readonly password: string
}

/** Bytes of the longest message. */
const longest = 1024 * 1024
/** What clients want to know (PostgreSQL documentation, "Asynchronous Operations"). */
const reported = [
  ...['server_version', 'server_encoding', 'client_encoding', 'standard_conforming_strings'],
  ...['DateStyle', 'IntervalStyle', 'TimeZone', 'integer_datetimes', 'application_name'],
]
/** Start-up parameters that are no settings. */
const notSettings = new Set(['user', 'database', 'options', 'replication'])

/**
 * Serves one client of PostgreSQL's protocol 3.0 until it leaves. Rejects when it is none, or does
 * not know the password.
 */
export async function serveConnection(
  socket: Socket,
  opening: Promise<SharedSession>,
  login: Login,
): Promise<void> {
  const reader = new Reader(socket)
  const parameters = await startUp(reader, socket)
  if (!parameters) return void socket.end()
  await logIn(reader, socket, login)
  const settings = [...parameters].filter(([name]) => !notSettings.has(name))
  const guest: Guest = { settings: new Map(settings) }
  const session = await opening
  const leave = await session.enter(guest)
  try {
    for (const { name, value } of await session.parameters(reported))
      socket.write(message('S', text(name), text(value)))
  } finally {
    leave()
  }
  socket.write(Buffer.concat([backendKey(), message('Z', Buffer.from('I'))]))
  await serve(reader, socket, session, guest)
}

async function serve(
  reader: Reader,
  socket: Socket,
  session: SharedSession,
  guest: Guest,
): Promise<void> {
  const answer = (bytes: Uint8Array): void => void socket.write(bytes)
  let leave: (() => void) | null = null
  const names = new Set<string>()
  let batch: Buffer[] = []
  try {
    for (;;) {
      const { type, bytes } = await reader.message()
      if (type === 'X') return
      if (type === 'P') names.add(nameIn(bytes))
      batch.push(bytes)
      if (!'QSHFcf'.includes(type)) continue
      leave ??= await session.enter(guest)
      const end = await session.exchange(Buffer.concat(batch), answer)
      batch = []
      // ReadyForQuery, outside of a transaction.
      if (type !== 'H' && Buffer.from(end).subarray(-6).equals(idle)) {
        leave()
        leave = null
      }
    }
  } finally {
    leave ??= await session.enter(guest)
    try {
      const closing = [...names].map((name) => message('C', text(`S${name}`)))
      const rollback = message('Q', text('ROLLBACK'))
      await session.exchange(Buffer.concat([...closing, message('S'), rollback]), () => undefined)
    } finally {
      leave()
    }
  }
}

const idle = message('Z', Buffer.from('I'))

/**
 * Resolves with the parameters, or `null` for a request to cancel, which there is no way to do
 * here.
 */
async function startUp(reader: Reader, socket: Socket): Promise<Map<string, string> | null> {
  for (;;) {
    const body = await reader.startUp()
    const code = body.readUInt32BE(0)
    // Encryption, by TLS or GSSAPI.
    if (code === 80_877_103 || code === 80_877_104) socket.write('N')
    else if (code === 196_608) return pairs(body.subarray(4))
    else return null
  }
}

function pairs(body: Buffer): Map<string, string> {
  const words = body.toString().split('\0')
  const found = new Map<string, string>()
  for (let i = 0; words[i]; i += 2) found.set(words[i]!, words[i + 1] ?? '')
  return found
}

/** MD5 authentication: what is secret does not travel, and only the gateway knows it. */
async function logIn(reader: Reader, socket: Socket, { user, password }: Login): Promise<void> {
  const salt = randomBytes(4)
  socket.write(message('R', int32(5), salt))
  const { type, bytes } = await reader.message()
  const expected = text(`md5${md5(md5(password, user), salt)}`)
  const given = bytes.subarray(5)
  if (type !== 'p' || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    const refusal = text('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0')
    socket.end(message('E', refusal))
    throw new Error('The password is wrong.')
  }
  socket.write(message('R', int32(0)))
}

function md5(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function backendKey(): Buffer {
  return message('K', int32(randomInt(1, 2 ** 31 - 1)), randomBytes(4))
}

function nameIn(bytes: Buffer): string {
  return bytes.toString('utf8', 5, bytes.indexOf(0, 5))
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function text(words: string): Buffer {
  return Buffer.from(`${words}\0`)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Messages out of a stream of bytes. Rejects at its end. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>
  // Owned by #take().
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  async startUp(): Promise<Buffer> {
    const length = lengthOf(await this.#take(4), 0)
    return this.#take(length - 4)
  }

  async message(): Promise<{ type: string; bytes: Buffer }> {
    const head = await this.#take(5)
    const body = await this.#take(lengthOf(head, 1) - 4)
    return { type: head.toString('latin1', 0, 1), bytes: Buffer.concat([head, body]) }
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#rest.length < count) {
      const { done, value } = await this.#chunks.next()
      if (done) throw new Error('The client is gone.')
      this.#rest = Buffer.concat([this.#rest, value])
    }
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }
}

function lengthOf(head: Buffer, at: number): number {
  const length = head.readUInt32BE(at)
  if (length < 4 || length > longest) throw new Error('This is not the protocol.')
  return length
}
