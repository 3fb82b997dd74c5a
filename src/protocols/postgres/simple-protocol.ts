import type { Desk } from './desk.ts'
import { expected } from './expected.ts'
import { asSelect } from './functions.ts'
import type { Values } from './judge.ts'
import { inFailedTransaction, noSuchFunction, notUtf8 } from './refusal.ts'
import { refuse } from './refuse.ts'
import { Run } from './run.ts'
import { declares, opensCopy } from './statement-kinds.ts'
import { NotUtf8 } from './wire/fault.ts'
import type { FrontendMessage } from './wire/frontend.ts'
import { readCall, readQuery, textOf } from './wire/requests.ts'

/**
 * Handles messages that need no Sync: the server answers each with its own ReadyForQuery
 * (PostgreSQL documentation, "Simple Query" and "Function Call").
 */
export class SimpleProtocol {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  query({ body, bytes }: FrontendMessage): Promise<void> {
    const text = textOf(() => readQuery(body))
    if (text instanceof NotUtf8) return refuse(this.#desk, 'query', notUtf8(text))
    return this.#whole(bytes, text, { types: [], bound: null })
  }

  /** A function call is judged as the equivalent SELECT, and forwarded as it is. */
  async call({ body, bytes }: FrontendMessage): Promise<void> {
    const { server, functions } = this.#desk
    const { oid, resultFormat, ...values } = readCall(body)
    await server.drain()
    // The server would refuse any call now, and does not tell us which function it is.
    if (server.answers.status === 'E') return refuse(this.#desk, 'query', inFailedTransaction)
    const called = await functions.find(oid)
    if (!called) return refuse(this.#desk, 'query', noSuchFunction(oid))
    const bound = { portal: '', statement: '', ...values, resultFormats: [resultFormat] }
    const text = asSelect(called, bound.values.length)
    return this.#whole(bytes, text, { types: called.types, bound })
  }

  async #whole(bytes: Buffer, text: string, values: Values): Promise<void> {
    const { server, names, judge, course, copying, sent } = this.#desk
    course.nextSegment()
    // The names that the text uses have to be certain.
    if (!names.settled) await server.drain()
    const read = judge.read(text, course.segment, values.types)
    const analysis = read instanceof Promise ? await read : read
    const run = await judge.permitted(text, analysis, values, course.ran)
    if (run && !(run instanceof Run)) return refuse(this.#desk, 'query', run)
    const { statements } = analysis
    const owner = run ?? names.fed(statements)
    const isInDoubt = owner?.isInDoubt || owner?.isApprovedBefore(course.settingsChanged)
    const refusal =
      !run && owner && isInDoubt ? await judge.refusedSince(owner, course.settingsChanged) : null
    if (refusal) return refuse(this.#desk, 'query', refusal)
    const settled = names.unsettledBy(statements, run !== null)
    const ends = run !== null && !declares(statements)
    course.forwarded(analysis)
    owner?.begin(course.settingsChanged)
    if (run) sent(run)
    server.send(bytes, expected('query', { run: owner, statements, text, ends, settled }))
    course.ended()
    if (opensCopy(analysis)) await copying.begun(run)
  }
}
