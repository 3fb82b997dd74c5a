import type { Copying } from './copying.ts'
import { expected } from './expected.ts'
import { asSelect, type Functions } from './functions.ts'
import type { Judge, Values } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Names } from './names.ts'
import {
  boundTooEarly,
  inFailedTransaction,
  noSuchFunction,
  noSuchName,
  notByFetch,
  notUtf8,
} from './refusal.ts'
import { Run } from './run.ts'
import { Skipped, type ServerSide } from './server-side.ts'
import type { Portal, SessionNames } from './session-names.ts'
import type { Settings } from './settings.ts'
import type { Analysis, Statement } from './sql/statement.ts'
import {
  changesMeaning,
  declares,
  fetchedCursors,
  has,
  opensCopy,
  renames,
  settledByBind,
} from './statement-kinds.ts'
import { NotUtf8, WireFault } from './wire/fault.ts'
import type { FrontendMessage, FrontendRows } from './wire/frontend.ts'
import { bind, execute, query, randomName, type Report } from './wire/messages.ts'
import {
  readBind,
  readCall,
  readExecute,
  readNamed,
  readParse,
  readQuery,
} from './wire/requests.ts'

interface FrontInit {
  readonly server: ServerSide
  readonly names: SessionNames
  readonly settings: Settings
  readonly ledger: Ledger
  readonly judge: Judge
  readonly functions: Functions
  readonly copying: Copying
  /** A read has been sent, and its record is under way. */
  readonly sent: (run: Run) => void
}

/** Of a change that nothing may rely on before it is confirmed, not even what follows it in its segment. */
const noSegment = -1

const nothing = (): void => {}

/**
 * Takes a client's messages, one after the other, and sends each on, or what the server must refuse in its place. Nothing overtakes: a message waits for the decision on the one before
 * it.
 */
export class Front {
  readonly #init: FrontInit
  // Counts stretches between Syncs and Queries: within one, an error skips what follows it.
  #segment = 0
  // Whether a run has begun in this segment: its transaction keeps its locks until the Sync.
  #ran = false
  // Counts what may give names another meaning, of tables or of prepared statements.
  #changes = 0

  constructor(init: FrontInit) {
    this.#init = init
  }

  /** Resolves when the next message may come; at once, without a promise, where nothing had to be waited for. Throws what ends the session. */
  take(message: FrontendMessage): Promise<void> | void {
    const { server, copying } = this.#init
    const { answers } = server
    if (answers.copyIn) return copying.take(message)
    // The server would skip it.
    if (answers.skipping && message.type !== 'S') return
    switch (message.type) {
      case 'Q':
        return this.#unlessSkipped(this.#query(message))
      case 'P':
        return this.#parse(message)
      case 'B':
        return this.#unlessSkipped(this.#bind(message))
      case 'E':
        return this.#execute(message)
      case 'D':
        readNamed(message.body)
        return this.#send(message, 'describe')
      case 'C':
        return this.#close(message)
      case 'S':
        return this.#sync(message)
      case 'H':
        return server.send(message.bytes)
      case 'F':
        return this.#unlessSkipped(this.#call(message))
      case 'p':
        throw new WireFault('unexpected password message')
      default:
        // Rows of a COPY that has failed: the server takes no notice of them either.
        return
    }
  }

  /** Rows that are copied in. */
  pass(rows: FrontendRows): Promise<void> | void {
    return this.#init.copying.pass(rows)
  }

  #query({ body, bytes }: FrontendMessage): Promise<void> {
    const text = textOf(() => readQuery(body))
    if (text instanceof NotUtf8) return this.#refuse('query', notUtf8(text))
    return this.#whole(bytes, text, { types: [], bound: null })
  }

  /** A function call is judged as the SELECT that does the same, and sent as it is. */
  async #call({ body, bytes }: FrontendMessage): Promise<void> {
    const { server, functions } = this.#init
    const { oid, resultFormat, ...values } = readCall(body)
    await server.drain()
    // The server would refuse it, whatever it is, and nobody can be asked what that is.
    if (server.answers.status === 'E') return this.#refuse('query', inFailedTransaction)
    const called = await functions.find(oid)
    if (!called) return this.#refuse('query', noSuchFunction(oid))
    const bound = { portal: '', statement: '', ...values, resultFormats: [resultFormat] }
    const text = asSelect(called, bound.values.length)
    return this.#whole(bytes, text, { types: called.types, bound })
  }

  /** What the server answers with ReadyForQuery, without being asked to by a Sync. */
  async #whole(bytes: Buffer, text: string, values: Values): Promise<void> {
    const { server, names } = this.#init
    this.#segment += 1
    // Names that the text uses have to be certain.
    if (!names.settled) await server.drain()
    const read = this.#init.judge.read(text, this.#segment, values.types)
    const analysis = read instanceof Promise ? await read : read
    const run = await this.#permitted(text, analysis, values)
    if (run && !(run instanceof Run)) return this.#refuse('query', run)
    const { statements } = analysis
    const owner = run ?? this.#fed(statements)
    const refusal = run ? null : await this.#refusedSince(owner)
    if (refusal) return this.#refuse('query', refusal)
    const settled = this.#renaming(statements, run)
    if (owner) owner.started = true
    const whole = expected('query', {
      run: owner,
      statements,
      text,
      ends: run !== null && !declares(statements),
      settled,
    })
    this.#forwarded(analysis, run)
    server.send(bytes, whole)
    this.#segment += 1
    this.#ran = false
    if (opensCopy(analysis)) await this.#init.copying.begun(run)
  }

  #parse({ body, bytes }: FrontendMessage): Promise<void> | void {
    const { statements } = this.#init.names
    const request = textOf(() => readParse(body))
    // In its place goes a Bind, which the server has to refuse too.
    if (request instanceof NotUtf8)
      return this.#unlessSkipped(this.#refuse('bind', notUtf8(request)))
    const { name, text, types } = request
    this.#init.names.remember({ text, types })
    if (name !== '') this.#changes += 1
    const change = statements.announce(name, { text, types }, this.#segment)
    const settled = (succeeded: boolean): void => {
      statements.settle(change, succeeded)
      if (succeeded) this.#init.names.renamed(name)
    }
    this.#init.server.send(bytes, expected('parse', { settled }))
  }

  async #bind({ body, bytes }: FrontendMessage): Promise<void> {
    const { server, names, ledger } = this.#init
    const bound = readBind(body)
    const known = names.statements.get(bound.statement, this.#segment)
    const isSure = known !== 'unsure'
    const prepared = isSure ? known : await this.#lookUp(names.statements, bound.statement)
    if (!prepared) return this.#refuse('bind', noSuchName('prepared statement', bound.statement))
    const { text, types } = prepared
    const read = this.#init.judge.read(text, this.#segment, types)
    const analysis = read instanceof Promise ? await read : read
    const run = await this.#permitted(text, analysis, { types, bound })
    if (run && !(run instanceof Run)) return this.#refuse('bind', run)
    this.#forwarded(analysis, run)
    const portal = { run, statements: analysis.statements, text, changes: this.#changes }
    const change = names.portals.announce(bound.portal, portal, this.#segment)
    if (run) ledger.opened(run)
    const settled = (succeeded: boolean): void => {
      const before = names.portals.all.get(bound.portal)?.run
      if (succeeded && before) ledger.closed(before)
      names.portals.settle(change, succeeded)
      if (succeeded) names.portalRenamed(bound.portal)
    }
    server.send(bytes, expected('bind', { run, settled }))
  }

  #execute(message: FrontendMessage): Promise<void> | void {
    const { names } = this.#init
    const { portal: name } = readExecute(message.body)
    const portal = names.portals.get(name, this.#segment)
    if (portal !== null && portal !== 'unsure') return this.#executePortal(message, portal)
    return this.#unlessSkipped(this.#executeLater(message, name))
  }

  /** One that is not known yet, or is a cursor of SQL: those share their names with portals. */
  async #executeLater(message: FrontendMessage, name: string): Promise<void> {
    const { names } = this.#init
    const portal = await this.#lookUp(names.portals, name)
    const cursor = names.cursors.get(name)
    if (portal) return this.#executePortal(message, portal)
    const refusal = cursor ? await this.#refusedSince(cursor.run) : null
    if (refusal) return this.#refuse('execute', refusal)
    if (cursor) return this.#send(message, 'execute', cursor.run)
    return this.#refuse('execute', noSuchName('portal', name))
  }

  #executePortal(message: FrontendMessage, portal: Portal): Promise<void> | void {
    const { run, statements, changes } = portal
    const { portals } = this.#init.names
    const fetched = fetchedCursors(statements)
    // It was no portal of the protocol's when this was bound.
    const other = run && fetched.find((name) => portals.get(name, this.#segment) !== null)
    if (other) return this.#unlessSkipped(this.#refuse('execute', notByFetch(other)))
    const settled = statements.length > 0 ? statements.every(settledByBind) : run === null
    if (changes !== this.#changes && !settled && !run?.started)
      return this.#unlessSkipped(this.#refuse('execute', boundTooEarly))
    const owner = run ?? this.#fed(statements)
    return owner?.isInDoubt
      ? this.#unlessSkipped(this.#executeIfStill(message, portal, owner))
      : this.#executeNow(message, portal, owner)
  }

  async #executeIfStill(message: FrontendMessage, portal: Portal, owner: Run): Promise<void> {
    const refusal = await this.#refusedSince(owner)
    return refusal ? this.#refuse('execute', refusal) : this.#executeNow(message, portal, owner)
  }

  /** Why what was permitted a while ago does not begin, or go on. */
  async #refusedSince(run: Run | null): Promise<Report | null> {
    return run?.isInDoubt ? this.#init.judge.refusedSince(run) : null
  }

  /** `owner`: whose rows it gives. */
  #executeNow(
    { bytes }: FrontendMessage,
    { run, statements, text }: Portal,
    owner: Run | null,
  ): Promise<void> | void {
    const { server } = this.#init
    if (owner) owner.started = true
    this.#ran = true
    this.#change(statements)
    const whole = expected('execute', {
      run: owner,
      statements,
      text,
      ends: run !== null && !declares(statements),
      settled: this.#renaming(statements, run),
    })
    server.send(bytes, whole)
    // An unread text has no statements, and may be anything.
    if (has(statements, 'copy-in') || (statements.length === 0 && run))
      return this.#init.copying.begun(run)
  }

  #close(message: FrontendMessage): void {
    const { server, names, ledger } = this.#init
    const { kind, name } = readNamed(message.body)
    if (kind === 'statement') {
      this.#changes += 1
      const change = names.statements.announce(name, null, this.#segment)
      const settled = (succeeded: boolean): void => {
        names.statements.settle(change, succeeded)
        if (succeeded) names.renamed(name)
      }
      return server.send(message.bytes, expected('close', { settled }))
    }
    if (names.cursors.has(name) || (name !== '' && names.portals.all.has(name))) this.#changes += 1
    const change = names.portals.announce(name, null, this.#segment)
    const settled = (succeeded: boolean): void => {
      const run = names.portals.all.get(name)?.run
      if (succeeded && run) ledger.closed(run)
      names.portals.settle(change, succeeded)
      if (succeeded) names.portalRenamed(name)
    }
    server.send(message.bytes, expected('close', { settled }))
  }

  #sync(message: FrontendMessage): void {
    this.#init.server.answers.endSkipping()
    this.#send(message, 'sync')
    this.#segment += 1
    this.#ran = false
  }

  #send({ bytes }: FrontendMessage, kind: 'describe' | 'sync' | 'execute', run?: Run | null): void {
    this.#init.server.send(bytes, expected(kind, { run: run ?? null, ends: false }))
  }

  #permitted(text: string, analysis: Analysis, values: Values): Promise<Run | Report | null> {
    return this.#init.judge.permitted(text, analysis, values, this.#ran)
  }

  /** Behind a statement that gives names to other texts, none is certain before the server has answered it. Returns what is to be called then. */
  #renaming(statements: readonly Statement[], run: Run | null): () => void {
    // What nobody could read may do that too.
    const isUnread = statements.length === 0 && run !== null
    if (!isUnread && !statements.some(renames)) return nothing
    const names = this.#init.names.statements
    const change = names.announce(null, null, noSegment)
    return () => names.settle(change, false)
  }

  #change(statements: readonly Statement[]): void {
    this.#init.settings.forwarded(statements, this.#segment)
    if (statements.some(changesMeaning)) this.#changes += 1
  }

  #forwarded({ statements, unreadable }: Analysis, run: Run | null): void {
    const { settings, sent } = this.#init
    this.#change(statements)
    if (unreadable) settings.forwardedUnread(this.#segment)
    if (unreadable) this.#changes += 1
    if (run) sent(run)
  }

  /** Sends something that the server must refuse, in the place of what is refused: so that what follows is skipped, and the transaction fails, as with any error. */
  async #refuse(kind: 'query' | 'bind' | 'execute', refusal: Report): Promise<void> {
    const { server } = this.#init
    await server.drain()
    const name = randomName()
    const poison = {
      query: query(`EXECUTE ${name}`),
      bind: bind(name, name),
      execute: execute(name),
    }
    server.send(poison[kind], expected(kind, { refusal }))
    if (kind === 'query') this.#segment += 1
  }

  /** What asked for the cursor that these statements read on. */
  #fed(statements: readonly Statement[]): Run | null {
    const [name] = fetchedCursors(statements)
    if (name === undefined) return null
    const { cursors, portals } = this.#init.names
    return cursors.get(name)?.run ?? portals.all.get(name)?.run ?? null
  }

  async #lookUp<Value>(names: Names<Value>, name: string): Promise<Value | null> {
    const known = names.get(name, this.#segment)
    if (known !== 'unsure') return known
    await this.#init.server.drain()
    return names.all.get(name) ?? null
  }

  #unlessSkipped(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      if (!(error instanceof Skipped)) throw error
    })
  }
}

/** What `read` reads, or that its text is not text, which is no reason to end the session. */
function textOf<Read>(read: () => Read): Read | NotUtf8 {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotUtf8) return error
    throw error
  }
}
