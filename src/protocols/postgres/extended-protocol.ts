import type { Desk } from './desk.ts'
import { expected } from './expected.ts'
import type { Names } from './names.ts'
import { boundTooEarly, noSuchName, notByFetch, notUtf8 } from './refusal.ts'
import { refuse } from './refuse.ts'
import { Run } from './run.ts'
import type { Portal } from './session-names.ts'
import { declares, fetchedCursors, has, settledByBind } from './statement-kinds.ts'
import { NotUtf8 } from './wire/fault.ts'
import type { FrontendMessage } from './wire/frontend.ts'
import { readBind, readExecute, readNamed, readParse, textOf } from './wire/requests.ts'

/**
 * Prepares a statement, binds its values and runs it, step by step (PostgreSQL documentation,
 * "Extended Query"). The decision falls at Bind, because what the server plans then is what we have
 * read.
 */
export class ExtendedProtocol {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** Parse: a text gets a name. Nothing of it runs yet. */
  parse({ body, bytes }: FrontendMessage): Promise<void> | void {
    const { server, names, course } = this.#desk
    const request = textOf(() => readParse(body))
    // A Bind that the server must refuse goes in its place.
    if (request instanceof NotUtf8) return refuse(this.#desk, 'bind', notUtf8(request))
    const { name, text, types } = request
    names.remember({ text, types })
    if (name !== '') course.renamed()
    const change = names.statements.announce(name, { text, types }, course.segment)
    const settled = (succeeded: boolean): void => {
      names.statements.settle(change, succeeded)
      if (succeeded) names.renamed(name)
    }
    server.send(bytes, expected('parse', { settled }))
  }

  /** Bind: a named text gets its values, is decided about, and becomes a portal. */
  async bind({ body, bytes }: FrontendMessage): Promise<void> {
    const { server, names, ledger, judge, course, sent } = this.#desk
    const bound = readBind(body)
    const found = this.#lookUp(names.statements, bound.statement)
    const prepared = found instanceof Promise ? await found : found
    if (!prepared)
      return refuse(this.#desk, 'bind', noSuchName('prepared statement', bound.statement))
    const { text, types } = prepared
    const read = judge.read(text, course.segment, types)
    const analysis = read instanceof Promise ? await read : read
    const run = await judge.permitted(text, analysis, { types, bound }, course.ran)
    if (run && !(run instanceof Run)) return refuse(this.#desk, 'bind', run)
    course.forwarded(analysis)
    if (run) sent(run)
    const portal = { run, statements: analysis.statements, text, changes: course.changes }
    const change = names.portals.announce(bound.portal, portal, course.segment)
    if (run) ledger.opened(run)
    const settled = (succeeded: boolean): void => {
      const before = names.portals.all.get(bound.portal)?.run
      if (succeeded && before) ledger.closed(before)
      names.portals.settle(change, succeeded)
      if (succeeded) names.portalRenamed(bound.portal)
    }
    server.send(bytes, expected('bind', { run, settled }))
  }

  describe({ body, bytes }: FrontendMessage): void {
    readNamed(body)
    this.#desk.server.send(bytes, expected('describe', { ends: false }))
  }

  /** Execute: a portal runs, or gives more rows. */
  execute(message: FrontendMessage): Promise<void> | void {
    const { names } = this.#desk
    const { portal: name } = readExecute(message.body)
    const portal = this.#lookUp(names.portals, name)
    if (portal instanceof Promise)
      return portal.then((known) => this.#executeNamed(message, known, name))
    return this.#executeNamed(message, portal, name)
  }

  #executeNamed(
    message: FrontendMessage,
    portal: Portal | null,
    name: string,
  ): Promise<void> | void {
    return portal ? this.#executePortal(message, portal) : this.#fetch(message, name)
  }

  /** More rows of a cursor that SQL has declared. Cursors and portals share their names. */
  async #fetch({ bytes }: FrontendMessage, name: string): Promise<void> {
    const { server, names, judge, course } = this.#desk
    const cursor = names.cursors.get(name)
    if (!cursor) return refuse(this.#desk, 'execute', noSuchName('portal', name))
    const { run } = cursor
    const isInDoubt = run?.isInDoubt || run?.isApprovedBefore(course.settingsChanged)
    const refusal = run && isInDoubt ? await judge.refusedSince(run, course.settingsChanged) : null
    if (refusal) return refuse(this.#desk, 'execute', refusal)
    course.executed([cursor.query])
    server.send(bytes, expected('execute', { run, ends: false }))
  }

  #executePortal(message: FrontendMessage, portal: Portal): Promise<void> | void {
    const { names, course } = this.#desk
    const { run, statements, changes } = portal
    const fetched = fetchedCursors(statements)
    // There was no such portal when the FETCH was bound, so it was judged as reading a cursor of
    // SQL.
    const other = run && fetched.find((one) => names.portals.get(one, course.segment) !== null)
    if (other) return refuse(this.#desk, 'execute', notByFetch(other))
    if (changes !== course.changes && !run?.started) {
      const isSettled = statements.length > 0 ? statements.every(settledByBind) : run === null
      if (!isSettled) return refuse(this.#desk, 'execute', boundTooEarly)
    }
    const owner = run ?? names.fed(statements)
    if (owner && (owner.isInDoubt || owner.isApprovedBefore(course.settingsChanged)))
      return this.#executeIfStill(message, portal, owner)
    return this.#executeNow(message, portal, owner)
  }

  async #executeIfStill(message: FrontendMessage, portal: Portal, owner: Run): Promise<void> {
    const { judge, course } = this.#desk
    const refusal = await judge.refusedSince(owner, course.settingsChanged)
    if (refusal) return refuse(this.#desk, 'execute', refusal)
    return this.#executeNow(message, portal, owner)
  }

  /** `owner`: the run whose rows it gives. */
  #executeNow(
    { bytes }: FrontendMessage,
    { run, statements, text }: Portal,
    owner: Run | null,
  ): Promise<void> | void {
    const { server, names, course, copying } = this.#desk
    course.executed(statements)
    owner?.begin(course.settingsChanged)
    const ends = run !== null && !declares(statements)
    const settled = names.unsettledBy(statements, run !== null)
    server.send(bytes, expected('execute', { run: owner, statements, text, ends, settled }))
    // A text that we could not read has no statements, and may be a COPY too.
    if (has(statements, 'copy-in') || (statements.length === 0 && run)) return copying.begun(run)
  }

  close({ body, bytes }: FrontendMessage): void {
    const { kind, name } = readNamed(body)
    const settled = kind === 'statement' ? this.#closeStatement(name) : this.#closePortal(name)
    this.#desk.server.send(bytes, expected('close', { settled }))
  }

  #closeStatement(name: string): (succeeded: boolean) => void {
    const { names, course } = this.#desk
    course.renamed()
    const change = names.statements.announce(name, null, course.segment)
    return (succeeded) => {
      names.statements.settle(change, succeeded)
      if (succeeded) names.renamed(name)
    }
  }

  #closePortal(name: string): (succeeded: boolean) => void {
    const { names, ledger, course } = this.#desk
    if (names.cursors.has(name) || (name !== '' && names.portals.all.has(name))) course.renamed()
    const change = names.portals.announce(name, null, course.segment)
    return (succeeded) => {
      const run = names.portals.all.get(name)?.run
      if (succeeded && run) ledger.closed(run)
      names.portals.settle(change, succeeded)
      if (succeeded) names.portalRenamed(name)
    }
  }

  /** Sync ends a segment: the server stops skipping, whatever went wrong before. */
  sync({ bytes }: FrontendMessage): void {
    const { server, course } = this.#desk
    server.answers.endSkipping()
    server.send(bytes, expected('sync', { ends: false }))
    course.ended()
  }

  /** What a name means. Waits for the server's answers where that is not certain yet. */
  #lookUp<Value>(names: Names<Value>, name: string): Value | null | Promise<Value | null> {
    const { server, course } = this.#desk
    const known = names.get(name, course.segment)
    if (known !== 'unsure') return known
    return server.drain().then(() => names.all.get(name) ?? null)
  }
}
