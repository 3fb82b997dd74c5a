import { connect } from 'node:net'
import { setImmediate as immediate } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import {
  configSchema,
  isHttp,
  type Config,
  type HttpResource,
  type TlsConfig,
} from '../../../src/config/schema.ts'
import { Problem } from '../../../src/core/errors.ts'
import type { Principal } from '../../../src/core/subject.ts'
import { createAgentServer } from '../../../src/protocols/http/server.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { startUpstream, type Script, type Upstream } from '../../support/upstream.ts'
import { StandInGate } from './stand-in-gate.ts'

export interface Gateway {
  readonly gate: StandInGate
  readonly port: number
  readonly url: string
  /** Lines that were logged. */
  readonly logged: string[]
  /**
   * Sends bytes as they are, and resolves with what came back: as many whole answers, or all until the gateway closed the
   * connection, or was silent for `patience` milliseconds.
   */
  raw(bytes: string | Buffer, answers?: number, patience?: number): Promise<string>
  close(): Promise<void>
}

interface Options {
  readonly maxBody?: number
  readonly wait?: number
  readonly maxWait?: number
  readonly port?: number
  /** Other limits of the listener than the usual ones. */
  readonly limits?: Partial<Config['listen']['agents']>
  /** What happens while a credential is looked at. */
  readonly authenticating?: () => Promise<void>
  /** Speaks https. `raw` does not. */
  readonly tls?: TlsConfig
}

type ResourceInput = Partial<HttpResource> & Pick<HttpResource, 'upstream'>

/** Tokens are names: `alice` is the agent alice. Anything with a dash is refused. */
function principalOf(token: string): Principal {
  if (!/^[a-z]+$/.test(token)) throw new Problem('unauthenticated', 'Show a valid token.')
  return {
    subject: {
      issuer: 'https://idp.test',
      subject: token,
      kind: 'agent',
      groups: [],
      owner: null,
      chain: [],
      related: [],
      claims: {},
    },
    credential: { kind: 'jwt', id: token, expiresAt: null },
  }
}

/** Resources as the configuration makes them of what people write. */
function resourceOf(input: ResourceInput): HttpResource {
  const [resource] = configSchema.shape.resources
    .parse([{ name: 'crm', protocol: 'http', match: { prefix: '/crm' }, ...input, timeout: '60s' }])
    .filter(isHttp)
  return { ...resource!, timeout: input.timeout ?? 60_000 }
}

/** A gateway on a free port, with a gate that does as it is told. */
export async function startGateway(
  resources: readonly ResourceInput[],
  options: Options = {},
): Promise<Gateway> {
  const gate = new StandInGate()
  const logged: string[] = []
  const server = createAgentServer({
    listen: {
      ...configSchema.shape.listen.parse({}).agents,
      address: { host: '127.0.0.1', port: options.port ?? 0 },
      wait: options.wait ?? 25_000,
      max_wait: options.maxWait ?? 600_000,
      drain: 20_000,
      tls: options.tls,
      ...options.limits,
    },
    resources: resources.map(resourceOf),
    binding: ({ name }) => name,
    authenticator: {
      async authenticate(token) {
        await options.authenticating?.()
        return principalOf(token)
      },
    },
    gate,
    limits: { maxBody: options.maxBody ?? 1024 * 1024, maxResponse: 1024 * 1024 },
    log: createLog('info', { write: (line) => logged.push(line) }),
  })
  const { port } = await server.listen()
  return {
    gate,
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    logged,
    raw: (bytes, answers = 1, patience = 0) => exchange(port, bytes, answers, patience),
    close: () => server.close(),
  }
}

/** Characters of the first answer in this text, or `null` while it is not whole. */
function answerLength(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1]
  if (length !== undefined) {
    return text.length >= end + 4 + Number(length) ? end + 4 + Number(length) : null
  }
  const last = /\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text)
  return last ? last.index + last[0].length : null
}

function countAnswers(text: string): number {
  const length = answerLength(text)
  return length === null ? 0 : 1 + countAnswers(text.slice(length))
}

function exchange(
  port: number,
  bytes: string | Buffer,
  answers: number,
  patience: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1')
    socket.setTimeout(patience, () => socket.destroy())
    socket.on('data', (chunk: string) => {
      text += chunk
      if (countAnswers(text) < answers) return
      socket.destroy()
      resolve(text)
    })
    socket.on('end', () => resolve(text))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve(text)
      else reject(error)
    })
    socket.on('close', () => resolve(text))
  })
}

/** Lets the event loop go round until a connection that was released can be lent again. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await immediate()
}

/** A request as a raw client writes it: the target as it is, and alice's token. */
export function request(
  target: string,
  { method = 'GET', headers = [] as string[], body = '' } = {},
) {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: gateway', 'Authorization: Bearer alice']
  return `${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`
}

/** A POST as a raw client writes it. */
export const post = (body: string) =>
  request('/crm/v1', { method: 'POST', headers: [`Content-Length: ${body.length}`], body })

export const statusOf = (answer: string): number => Number(answer.split(' ')[1])

/** The body of a problem. */
export function problemIn(answer: string): { type: string; detail: string; status: number } {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as never
}

/** One gateway in front of one upstream, until the test is over. */
export async function behind(
  script?: Script,
  resource: Partial<HttpResource> = {},
  options: Options = {},
): Promise<{ upstream: Upstream; gateway: Gateway }> {
  const upstream = await startUpstream(script)
  onTestFinished(upstream.close)
  const gateway = await startGateway([{ upstream: upstream.url, ...resource }], options)
  onTestFinished(gateway.close)
  return { upstream, gateway }
}
