import type { Socket } from 'node:net'
import type { Principal } from '../../core/subject.ts'
import type { Waiting } from '../../gate/attempt.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Log } from '../../telemetry/log.ts'
import { Aftermath } from './aftermath.ts'
import type { AnswerEvents } from './answers.ts'
import { Authoriser } from './authorise.ts'
import { Copying } from './copying.ts'
import { Course } from './course.ts'
import { Front } from './front.ts'
import { Functions } from './functions.ts'
import { Judge } from './judge.ts'
import { Ledger } from './ledger.ts'
import type { UpstreamConnection } from './login/upstream.ts'
import { farewell, Rejection } from './rejection.ts'
import { requireReadable } from './readable.ts'
import { ServerSide } from './server-side.ts'
import { Serving } from './serving.ts'
import { SessionNames } from './session-names.ts'
import { Settings } from './settings.ts'
import type { Impacts } from './sql/impact.ts'
import type { Analyser, CatalogueSource, Probe } from './sql/statement.ts'
import type { Uncommitted } from './uncommitted.ts'
import { UnderWay } from './under-way.ts'
import { Unrecorded } from './unrecorded.ts'
import { report, terminate } from './wire/messages.ts'

/** Milliseconds for the last message to reach a client. */
const lastBytes = 5_000

export interface SessionInit {
  readonly client: Socket
  readonly upstream: UpstreamConnection
  readonly principal: Principal
  /** Checks that the credential is still valid. Throws or rejects with the reason if it is not. */
  readonly stillTrusted: () => void | Promise<void>
  readonly gate: Pick<Gate, 'enforce' | 'needs' | 'whyEnded'>
  readonly analyser: Pick<Analyser, 'analyse'>
  readonly catalogues: CatalogueSource
  readonly impacts: Pick<Impacts, 'of'>
  /** A connection of the gateway's own to the same database. */
  readonly outside: Probe
  readonly harmless: ReadonlySet<string>
  readonly resource: string
  readonly binding: string
  readonly database: string
  readonly user: string
  readonly wait: number
  readonly waitInTransaction: number
  readonly uncommitted: Uncommitted
  /** Bytes of the largest text that is held, including its values. */
  readonly maxHeld: number
  /** Asks the server to cancel what it runs for this session. */
  readonly cancelUpstream: () => Promise<void>
  readonly log: Log
}

/**
 * One client and its own connection to the server, until either ends. Nothing of it is ever shared
 * with another session.
 */
export class Session {
  readonly #init: SessionInit
  readonly #server: ServerSide
  readonly #ledger: Ledger
  readonly #names = new SessionNames()
  readonly #settings: Settings
  readonly #authoriser: Authoriser
  readonly #aftermath: Aftermath
  readonly #serving: Serving
  readonly #underWay: UnderWay
  readonly #closed = Promise.withResolvers<void>()
  // Owned by #end() and #leave().
  #over = false
  #leaving = false
  /** Set when the session is to end as soon as nothing runs: the reason why. */
  #retiring: Rejection | null = null
  #expiry: NodeJS.Timeout | undefined

  constructor(init: SessionInit) {
    this.#init = init
    const { client, upstream, database, catalogues, harmless, ...rest } = init
    const { wait, waitInTransaction, analyser, impacts, outside, gate, resource, maxHeld } = rest
    this.#ledger = new Ledger(init.uncommitted)
    this.#server = new ServerSide(upstream.socket, client, this.#events())
    this.#settings = new Settings(this.#server, database, catalogues, harmless)
    this.#aftermath = new Aftermath({
      names: this.#names,
      ledger: this.#ledger,
      settings: this.#settings,
      catalogues,
    })
    this.#authoriser = new Authoriser({
      ...init,
      notice: (waiting) => this.#notice(waiting),
    })
    const unrecorded = new Unrecorded(this.#server, (error) => this.#end(error))
    const judge = new Judge({
      server: this.#server,
      names: this.#names,
      ledger: this.#ledger,
      settings: this.#settings,
      authoriser: this.#authoriser,
      analyser,
      impacts,
      outside,
      needs: () => gate.needs(resource).facts,
      database,
      wait,
      waitInTransaction,
      maxHeld,
    })
    const front = new Front({
      server: this.#server,
      names: this.#names,
      ledger: this.#ledger,
      judge,
      functions: new Functions(this.#server),
      course: new Course(this.#settings),
      copying: new Copying(this.#server, judge),
      sent: (run) => unrecorded.sent(run),
    })
    this.#serving = new Serving({
      ...{ client, server: this.#server, front, unrecorded },
      stillTrusted: init.stillTrusted,
      closed: () => this.#over || this.#leaving || this.#retiring !== null,
      goodbye: () => this.#leave(),
      idle: () => this.#idle(),
      fault: (error) => this.#end(error),
    })
    this.#underWay = new UnderWay({
      ...{ server: this.#server, judge },
      cancel: () => this.#cancelUpstream(),
      end: (reason) => this.#end(reason),
    })
    client.on('error', () => client.destroy())
    client.on('close', () => this.#clientGone())
  }

  /** Resolves when both connections are closed or closing. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Begins to serve the client. `rest`: bytes that it has sent already. */
  begin(rest: Buffer): void {
    try {
      for (const [name, value] of this.#init.upstream.parameters) this.#parameter(name, value)
    } catch (error) {
      this.#end(error)
      return
    }
    const { expiresAt } = this.#init.principal.credential
    // A token may be valid for longer than a timer can count. The regular checks are enough then.
    if (expiresAt !== null && expiresAt - Date.now() < 0x7fff_ffff)
      this.#expiry = setTimeout(() => this.look(), expiresAt - Date.now() + 1).unref()
    this.#serving.begin(rest, this.#settings.context(0))
  }

  /**
   * A CancelRequest of the client. Cancels what the server runs; if it runs nothing, what is held
   * or not decided yet. Resolves when the server, or the gate, has been told.
   */
  async cancel(): Promise<void> {
    if (this.#over) return
    const { outstanding } = this.#server.answers
    // A client cannot cancel our own questions.
    if (outstanding.some(({ own }) => own === null)) await this.#cancelUpstream()
    else if (this.#serving.busy) this.#authoriser.cancel()
  }

  /** Checks the credential of an idle session. Ends the session if it is no longer valid. */
  look(): void {
    if (this.#over || this.#serving.busy) return
    const refused = (error: unknown): void => {
      // Not being able to tell is no reason to end the session. Its next statement will be refused
      // if that lasts.
      if (error instanceof Rejection) this.retire(error)
    }
    try {
      const looking = this.#init.stillTrusted()
      if (looking) looking.catch(refused)
    } catch (error) {
      refused(error)
    }
  }

  /** Ends what runs, if it may not go on. */
  watch(): void {
    if (!this.#over) this.#underWay.look().catch((error: unknown) => this.#end(error))
  }

  /** Ends the session as soon as nothing runs in it. */
  retire(reason: Rejection): void {
    this.#retiring ??= reason
    this.#retireIfIdle()
  }

  /** Ends the session at once. */
  end(reason: unknown): void {
    this.#end(reason)
  }

  #cancelUpstream(): Promise<void> {
    const { cancelUpstream, log } = this.#init
    return cancelUpstream().catch((error: unknown) =>
      log.warn({ err: error }, 'a cancel request did not reach the database'),
    )
  }

  #events(): ConstructorParameters<typeof ServerSide>[2] {
    return {
      command: (tag, statement, answer) => this.#aftermath.command(tag, statement, answer),
      suspended: (run) => this.#ledger.opened(run),
      completed: (run) => this.#ledger.completed(run),
      failed: (run, code) => this.#ledger.failed(run, code),
      broken: () => {
        this.#ledger.broken()
        this.#settings.broken()
      },
      ready: (status) => this.#ready(status),
      parameter: (name, value) => this.#parameter(name, value),
      fatal: () => (this.#leaving = true),
      guardsColumns: () => this.#init.gate.needs(this.#init.resource).columns,
      lost: () => this.#lost(),
      fault: (error) => this.#end(error),
    } satisfies AnswerEvents & { lost(): void; fault(error: unknown): void }
  }

  #idle(): void {
    this.#authoriser.settled()
    this.#retireIfIdle()
  }

  #ready(status: string): void {
    this.#aftermath.ready(status)
    // The ReadyForQuery itself is still on its way to the client.
    queueMicrotask(() => this.#retireIfIdle())
  }

  #parameter(name: string, value: string): void {
    requireReadable(name, value)
  }

  #notice({ approval, rules, groups }: Waiting): void {
    const { client } = this.#init
    if (this.#over || this.#server.within) return
    const whom = groups.length > 0 ? `, waiting for ${groups.join(', ')}` : ''
    const message = `held for approval ${approval}: ${rules.join(', ')}${whom}`
    client.write(report({ severity: 'NOTICE', code: '00000', message }))
  }

  #retireIfIdle(): void {
    const { outstanding } = this.#server.answers
    if (this.#retiring && !this.#serving.busy && outstanding.length === 0) this.#end(this.#retiring)
  }

  /** The client says goodbye. What it has sent before is finished first. */
  #leave(): void {
    this.#leaving = true
    // A server in the middle of a row would read a goodbye as part of it.
    if (this.#server.answers.copyIn || this.#serving.within) this.#server.hangUp()
    else this.#server.send(terminate)
  }

  #clientGone(): void {
    this.#authoriser.abandon()
    if (this.#over) return
    const { outstanding } = this.#server.answers
    // A write that is under way will end by itself, and its outcome has to be recorded. Nobody
    // waits for anything else.
    if (outstanding.some(({ run }) => run && !run.isRead)) this.#leave()
    else this.#end(null)
  }

  #lost(): void {
    if (this.#leaving) this.#end(null)
    else this.#end(new Rejection('08006', 'the database closed the connection unexpectedly'))
  }

  /** `reason`: what the client is told; `null` where the client knows it, or is gone. */
  #end(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    const { client, log, resource } = this.#init
    if (reason instanceof Error && !(reason instanceof Rejection))
      log.info({ err: reason, resource }, 'a database session ended')
    clearTimeout(this.#expiry)
    this.#authoriser.abandon()
    this.#aftermath.lost(this.#server.answers)
    this.#server.destroy()
    // Nothing can be said in the middle of a message of the server's.
    if (reason !== null && !this.#server.within && !client.destroyed) client.write(farewell(reason))
    const late = setTimeout(() => client.destroy(), lastBytes)
    client.once('close', () => clearTimeout(late))
    client.destroySoon()
    this.#closed.resolve()
  }
}
