import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as ask, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as askTls } from 'node:https'
import type { Socket } from 'node:net'
import { setImmediate as turn, setTimeout as later } from 'node:timers/promises'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { Problem } from '../../../src/core/errors.ts'
import type { Script } from '../../support/upstream.ts'
import { behind, type Gateway } from './gateway.ts'
import { behindTls, session } from './http2.ts'

// Class 6: what one agent asked for, in what another one gets. Many agents at once, who read slowly, behind an upstream that answers in every way there is, in pieces of
// every size: each byte of a body says whose it is, and which one.

const agents = ['alice', 'bob', 'carol', 'dave', 'erin']
const each = 40

/** Numbers from 0 to 1, the same for the same seed. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How an answer is framed, or goes wrong. */
const kinds = [
  'length',
  'chunked',
  'trailers',
  'close',
  'nothing',
  'unchanged',
  'more',
  'less',
] as const
type Kind = (typeof kinds)[number]
/** What ends a connection ends what others wait for on it; undici ends it itself after a HEAD, and after a 304 that has a length. */
const forPipelines = kinds.filter((kind) => kind !== 'less' && kind !== 'unchanged')

/** Sizes around those at which the gateway does something else: one text, one small read, one large read, all that is kept. */
const sizes = [0, 1, 700, 4095, 4096, 4097, 8191, 8192, 8193, 20_000, 65_536, 70_000, 300_000]

interface Wish {
  readonly agent: string
  readonly index: number
  readonly kind: Kind
  readonly size: number
  readonly head: boolean
  /** Goes away in the middle of the answer. */
  readonly leaves: boolean
}

function wishes(random: () => number, agent: string, alone: boolean): Wish[] {
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  return Array.from({ length: each }, (_, index) => {
    const kind = one(alone ? kinds : forPipelines)
    const head = alone && kind === 'length' && random() < 0.2
    return { agent, index, kind, size: one(sizes), head, leaves: alone && random() < 0.1 }
  })
}

const pathOf = ({ agent, index, kind, size }: Wish) => `/v1/${agent}/${index}/${kind}/${size}`

/** Bytes that nobody else's answer has, in any place of it. */
function bodyOf({ agent, index, size }: Pick<Wish, 'agent' | 'index' | 'size'>): Buffer {
  const bytes = Buffer.alloc(size, `${agent}-${index}\xff|`, 'latin1')
  for (let at = 0; at + 4 <= size; at += 16) bytes.writeUInt32BE(at, at)
  return bytes
}

/** After these the upstream goes on talking. */
const talkative: ReadonlySet<Kind> = new Set(['nothing', 'unchanged', 'more'])
const hasNoBody = (kind: Kind) => kind === 'nothing' || kind === 'unchanged'

/** Everything that the upstream says to one request. */
function answerTo(line: string): { bytes: Buffer; ends: boolean } {
  const [method, target] = line.split(' ')
  const [, , agent, index, kind, size] = target!.split('/')
  const body = bodyOf({ agent: agent!, index: Number(index), size: Number(size) })
  const said = method === 'HEAD' ? Buffer.alloc(0) : body
  const whole = (status: string, headers: string, ...rest: Buffer[]) => {
    const interim = Number(index) % 3 === 0 ? 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' : ''
    const head = `${interim}HTTP/1.1 ${status}\r\nX-Whose: ${agent}-${index}\r\n${headers}\r\n`
    return Buffer.concat([Buffer.from(head), ...rest])
  }
  const length = `Content-Length: ${body.length}\r\n`
  const chunks = (): Buffer[] => {
    const pieces = []
    for (let at = 0, step = 1; at < body.length; at += step, step = step * 3 + 1) {
      const piece = body.subarray(at, at + step)
      pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
    }
    return pieces
  }
  switch (kind as Kind) {
    case 'length':
      return { bytes: whole('200 OK', length, said), ends: false }
    case 'chunked':
    case 'trailers': {
      const last = kind === 'chunked' ? '0\r\n\r\n' : `0\r\nX-Sum: ${agent}-${index}\r\n\r\n`
      const coding = 'Transfer-Encoding: chunked\r\n'
      return { bytes: whole('200 OK', coding, ...chunks(), Buffer.from(last)), ends: false }
    }
    case 'close':
      return { bytes: whole('200 OK', '', body), ends: true }
    case 'nothing':
      return { bytes: whole('204 No Content', '', Buffer.from('POISON')), ends: false }
    case 'unchanged':
      return { bytes: whole('304 Not Modified', length, Buffer.from('POISON')), ends: false }
    case 'more':
      return { bytes: whole('200 OK', length, body, Buffer.from('POISON')), ends: false }
    case 'less':
      return { bytes: whole('200 OK', length, body.subarray(0, -1)), ends: true }
  }
}

/** Says it in pieces, now in one turn of the event loop, now in many. */
function scriptOf(random: () => number): Script {
  const said = new WeakMap<Socket, Promise<void>>()
  return ({ line }) =>
    (socket: Socket) => {
      const { bytes, ends } = answerTo(line)
      const say = async () => {
        for (let at = 0; at < bytes.length && !socket.destroyed;) {
          const step = random() < 0.5 ? bytes.length : 1 + Math.floor(random() * 30_000)
          socket.write(bytes.subarray(at, at + step))
          at += step
          if (random() < 0.3) await later(random() * 4)
          else await turn()
        }
        if (ends) socket.end()
      }
      // One answer after the other, as servers do: what comes behind one is not in the middle of the next.
      said.set(socket, (said.get(socket) ?? Promise.resolve()).then(say))
    }
}

interface Got {
  readonly status: number
  readonly whose: unknown
  readonly body: Buffer
  /** Whether it ended as an answer does. */
  readonly whole: boolean
}

/** Sends one wish, and reads the answer in its own time. */
type Client = (wish: Wish) => Promise<Got>

/** The rest of what it reads is not waited for by whoever leaves. */
async function readSlowly(answer: AsyncIterable<Buffer>, wish: Wish, random: () => number) {
  const pieces: Buffer[] = []
  let whole = true
  try {
    for await (const piece of answer) {
      pieces.push(piece)
      if (wish.leaves) break
      if (random() < 0.3) await later(random() * 6)
    }
  } catch {
    whole = false
  }
  return { body: Buffer.concat(pieces), whole }
}

/** Keep-alive connections, three at a time, with Node's strict parser. */
function node(gateway: Gateway, random: () => number, ca?: string): Client {
  const agent = ca === undefined ? new Agent(options) : new TlsAgent({ ...options, ca })
  onTestFinished(() => agent.destroy())
  return async (wish) => {
    const headers = { authorization: `Bearer ${wish.agent}` }
    const method = wish.head ? 'HEAD' : 'GET'
    const send = ca === undefined ? ask : askTls
    const call = send(`${gateway.url}/crm${pathOf(wish)}`, { agent, headers, method })
    call.end()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    const read = await readSlowly(answer, wish, random)
    return { status: answer.statusCode!, whose: answer.headers['x-whose'], ...read }
  }
}
const options = { keepAlive: true, maxSockets: 3 }

/** Four requests at once on each connection, each before the answer to the one before it. */
function pipelining(gateway: Gateway, random: () => number): Client {
  const pool = new Pool(gateway.url, { pipelining: 4, connections: 2 })
  onTestFinished(() => pool.destroy())
  return async (wish) => {
    const headers = { authorization: `Bearer ${wish.agent}` }
    const path = `/crm${pathOf(wish)}`
    const answer = await pool.request({ path, headers, method: wish.head ? 'HEAD' : 'GET' })
    const read = await readSlowly(answer.body, wish, random)
    return { status: answer.statusCode, whose: answer.headers['x-whose'], ...read }
  }
}

/** All at once, on one connection. */
function http2(gateway: Gateway, random: () => number): Client {
  const client = session(gateway)
  return async (wish) => {
    const stream = client.request({
      ':method': wish.head ? 'HEAD' : 'GET',
      ':path': `/crm${pathOf(wish)}`,
      authorization: `Bearer ${wish.agent}`,
    })
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
    const read = await readSlowly(stream, wish, random)
    const whole = read.whole && stream.rstCode === 0
    return { status: head[':status'] as number, whose: head['x-whose'], body: read.body, whole }
  }
}

/** What an agent gets of what it wished: that, or the beginning of it, or nothing, and never anything else. `true`: it got something. */
function check(wish: Wish, got: Got): boolean {
  const { kind, agent, index } = wish
  if (got.status === 502) {
    expect(got.whose).toBeUndefined()
    // Or what the upstream said behind another answer came so late that its connection was in use again: it is read as nobody's answer.
    return kind === 'less' && wish.size > 0
  }
  if (got.status === 503) {
    expect(got.whose).toBeUndefined()
    if (!wish.head && !wish.leaves)
      expect(got.body.toString()).toMatch(/"type":"[^"]*\/store-unavailable"/)
    return true
  }
  expect(got.status).toBe(kind === 'nothing' ? 204 : kind === 'unchanged' ? 304 : 200)
  expect(got.whose).toBe(`${agent}-${index}`)
  const body = hasNoBody(kind) || wish.head ? Buffer.alloc(0) : bodyOf(wish)
  // Seen over HTTP/2, in one of 250 runs: every byte of an answer behind which the upstream went on talking, and a reset for its end. Its client sees that, and gets nobody else's bytes.
  const isSpoilt = talkative.has(kind) && !got.whole
  const isCut = wish.leaves || isSpoilt || (kind === 'less' && wish.size > 0)
  const which = `${pathOf(wish)}: ${got.body.length} bytes of it`
  if (!wish.leaves) expect(got.whole, which).toBe(!isCut)
  expect(got.body.equals(isCut ? body.subarray(0, got.body.length) : body)).toBe(true)
  return true
}

test.for([
  ['HTTP/1.1, three connections each', false, node],
  ['HTTP/1.1, pipelined', false, pipelining],
  ['HTTP/1.1 over TLS', true, node],
  ['HTTP/2', true, http2],
] as const)(
  '%s: whatever the upstream does, everybody gets their own bytes',
  async ([, tls, client]) => {
    const seed = randomInt(2 ** 31)
    process.stdout.write(`seed: ${seed}\n`)
    const random = dice(seed)
    const { gateway, upstream, ca } = tls
      ? await behindTls(scriptOf(random))
      : { ...(await behind(scriptOf(random))), ca: undefined }
    // Answers wait for their records: some for none, some for long, and some have none in the end.
    let unrecorded = 0
    gateway.gate.recorded = async () => {
      if (random() < 0.5) return
      await later(random() * 10)
      if (random() > 0.1) return
      unrecorded++
      throw new Problem('store-unavailable', 'There is no record of this.')
    }

    // Each time the upstream says too much, it can spoil one connection.
    let [spoiled, most] = [0, 0]
    await Promise.all(
      agents.map(async (agent) => {
        const send = client(gateway, random, ca)
        const all = wishes(random, agent, client !== pipelining)
        const lanes = [0, 1, 2, 3, 4].map(async (lane) => {
          for (const wish of all) {
            if (wish.index % 5 !== lane) continue
            if (!check(wish, await send(wish))) spoiled++
            if (talkative.has(wish.kind)) most++
          }
        })
        await Promise.all(lanes)
      }),
    )
    expect(spoiled).toBeLessThan(most / 4)
    expect(upstream.requests).toHaveLength(agents.length * each)
    await expect.poll(() => gateway.gate.outcomes.length).toBe(agents.length * each)
    expect(gateway.gate.outcomes.filter(({ error }) => error === 'store-unavailable')).toHaveLength(
      unrecorded,
    )
    expect(unrecorded).toBeGreaterThan(0)
  },
)
