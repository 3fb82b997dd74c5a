import { Problem } from '../../core/errors.ts'
import { definitionsIn, definitionsQuestion, isContested } from './definitions.ts'
import { FailedTransaction, type Authoriser } from './authorise.ts'
import type { Expected } from './expected.ts'
import { unreadableSetting } from './readable.ts'
import { notByFetch, tooManyUncommitted } from './refusal.ts'
import { Run } from './run.ts'
import { seal, type Meaning } from './seal.ts'
import type { ServerSide } from './server-side.ts'
import type { Ledger } from './ledger.ts'
import type { SessionNames } from './session-names.ts'
import { isSessionOnly } from './session-only.ts'
import { changedIn, type Settings } from './settings.ts'
import type { Impact, Impacts } from './sql/impact.ts'
import { isOfDatabase } from './sql/calls.ts'
import type { Analyser, Analysis, Probe, SqlContext, Statement } from './sql/statement.ts'
import { executedNames, fetchedCursors, has, isPositioned } from './statement-kinds.ts'
import type { Report } from './wire/messages.ts'
import type { BindRequest } from './wire/requests.ts'

interface JudgeInit {
  readonly server: ServerSide
  readonly names: SessionNames
  readonly ledger: Pick<Ledger, 'hasRoom'>
  readonly settings: Settings
  readonly authoriser: Authoriser
  readonly analyser: Pick<Analyser, 'analyse'>
  readonly impacts: Pick<Impacts, 'of'>
  /** A connection of the gateway's own, outside the session's transaction. */
  readonly outside: Probe
  /** The facts that the policies in force look at. */
  readonly needs: () => readonly string[]
  readonly database: string
  /** Milliseconds for which a statement is held at most. */
  readonly wait: number
  readonly waitInTransaction: number
  /** Bytes of the largest text that is held, including its values. */
  readonly maxHeld: number
}

/** The values that a text runs with, and their types. */
export interface Values {
  readonly types: readonly number[]
  readonly bound: BindRequest | null
}

const nothing: ReadonlyMap<string, Statement> = new Map()

/**
 * A single statement that looks up no names but those of settings. SET TRANSACTION has to be the
 * first statement in its transaction, and a question of ours would come before it. No backslash is
 * let through, because how strings are read may be in question too.
 */
const setsAlone = /^\s*(set|reset|show)\s[\w\s.,='"-]*(;\s*)?$/i

/** Finds out what a text means in its session, and whether it may run. */
export class Judge {
  readonly #init: JudgeInit

  constructor(init: JudgeInit) {
    this.#init = init
  }

  /**
   * What the text means here and now. Answers at once where everything that it depends on is known.
   * `parameters`: the OIDs of their types, as far as the client gave them.
   */
  read(text: string, segment: number, parameters: readonly number[]): Analysis | Promise<Analysis> {
    const { settings, names, analyser } = this.#init
    const isUsual = !setsAlone.test(text) && !parameters.some(isOfDatabase)
    const context = isUsual ? settings.contextNow(segment) : null
    if (!context || names.cursors.size > 0) return this.#ask(text, segment, parameters)
    const analysis = analyser.analyse(text, context)
    const isAll = !(analysis instanceof Promise) && isComplete(analysis)
    return isAll ? analysis : this.#ask(text, segment, parameters, analysis)
  }

  /**
   * Does the same, asking and waiting for whatever is needed. `begun`: what was read without
   * asking.
   */
  async #ask(
    text: string,
    segment: number,
    parameters: readonly number[],
    begun: Analysis | Promise<Analysis> | null = null,
  ): Promise<Analysis> {
    const { server, settings, names, analyser } = this.#init
    if (setsAlone.test(text)) {
      const alone = { ...settings.withoutNames, cursors: nothing, prepared: nothing }
      const analysis = await analyser.analyse(text, alone)
      if (isSessionOnly(analysis, new Set())) return analysis
    }
    const known = await (begun ?? this.#readNames(text, segment, parameters))
    const isAnew = known.missing.length > 0
    const analysis = isAnew ? await this.#readAnew(text, segment, parameters) : known
    // A message on its way may close the cursor, and give its name to another.
    if (has(analysis.statements, 'fetch') && server.answers.outstanding.some(movesCursors)) {
      await server.drain()
      return this.#ask(text, segment, parameters)
    }
    const executed = executedNames(analysis.statements)
    if (executed.length === 0) return analysis
    // A message on its way may give these names to other texts.
    if (!names.settled) await server.drain()
    return this.#readExecute(text, executed, segment, parameters)
  }

  /** Somebody may just have created what it names. */
  #readAnew(text: string, segment: number, parameters: readonly number[]): Promise<Analysis> {
    return this.#readNames(text, segment, parameters, { anew: true })
  }

  async #readNames(
    text: string,
    segment: number,
    parameters: readonly number[],
    how?: { readonly anew: boolean },
  ): Promise<Analysis> {
    const { settings, names, analyser } = this.#init
    const context = { ...(await settings.context(segment, how)), parameters }
    return analyser.analyse(text, { ...context, cursors: names.cursorQueries, prepared: nothing })
  }

  /**
   * Reads a text that executes what PREPARE or Parse has given a name. The server replans that when
   * names have come to mean something else, so we read it anew as well.
   */
  async #readExecute(
    text: string,
    executed: readonly string[],
    segment: number,
    parameters: readonly number[],
  ) {
    const { settings, names, analyser } = this.#init
    const context = { ...(await settings.context(segment)), cursors: names.cursorQueries }
    const prepared = new Map<string, Statement>()
    for (const name of executed) {
      const statement = await this.#readPrepared(name, { ...context, prepared: nothing })
      if (statement) prepared.set(name, statement)
    }
    return analyser.analyse(text, { ...context, parameters, prepared })
  }

  /** What EXECUTE of this name runs: the query of its PREPARE, or the text of its Parse message. */
  async #readPrepared(name: string, context: SqlContext): Promise<Statement | undefined> {
    const { names, analyser } = this.#init
    const announced = names.prepared.get(name)
    if (announced !== undefined) {
      const { statements } = await analyser.analyse(announced, context)
      const changes = statements.flatMap(({ session }) => session)
      return changes.find((change) => change.kind === 'prepare')?.prepared
    }
    const { text = '', types = [] } = names.statements.all.get(name) ?? {}
    const { statements } = await analyser.analyse(text, { ...context, parameters: types })
    return statements[0]
  }

  /**
   * Returns the permitted run; `null` for a text that only concerns the session and needs no
   * permit; or the reason why it is refused. `ran`: something not yet committed has run before it.
   */
  async permitted(
    text: string,
    analysis: Analysis,
    values: Values,
    ran: boolean,
  ): Promise<Run | Report | null> {
    const { authoriser, names, ledger, wait, waitInTransaction } = this.#init
    const early = fetchedCursors(analysis.statements).find((name) => names.mayMeanAnother(name))
    if (early !== undefined) return notByFetch(early)
    // A portal is a cursor too: asyncpg moves its portals by SQL.
    const has = (name: string) => names.cursors.has(name) || names.portals.all.has(name)
    if (isSessionOnly(analysis, { has })) return null
    if (analysis.effect !== 'read' && !ledger.hasRoom) return tooManyUncommitted
    const asked = this.#impact(text, analysis, values)
    const run = await authoriser.run({
      text,
      analysis,
      impact: asked instanceof Promise ? await asked : asked,
      waitMs: ran || this.#inTransaction ? Math.min(wait, waitInTransaction) : wait,
      seal: async () => seal(await this.#meaning(text, analysis, values)),
    })
    const refusal = run instanceof Run ? unreadableSetting(analysis.statements) : null
    if (!(run instanceof Run) || !refusal) return run
    // It was permitted and is on record, but we could not read what comes after it, so it goes no
    // further.
    run.finish('failed', refusal.code)
    return refusal
  }

  /**
   * Why a run that was permitted a while ago may not begin or go on, or `null`. `settings`: how
   * often the session has changed its settings so far.
   */
  refusedSince(run: Run, settings = run.settings): Promise<Report | null> {
    return this.#init.authoriser.refusedSince(run, settings)
  }

  /** Asks what the statement would do to data, only where a rule looks at that. */
  #impact(text: string, analysis: Analysis, { bound }: Values): Promise<Impact | null> | null {
    const { impacts, needs, settings } = this.#init
    const facts = needs()
    if (!facts.some((fact) => fact.startsWith('impact.'))) return null
    const exact = facts.includes('impact.exact_rows')
    const { searchPath } = settings
    return impacts.of({ text, analysis, searchPath, exact, values: bound ? textsOf(bound) : [] })
  }

  async #meaning(text: string, analysis: Analysis, { types, bound }: Values): Promise<Meaning> {
    const { server, settings, names, outside, database, maxHeld } = this.#init
    const size = sizeOf(text, bound)
    if (size > maxHeld) {
      const detail = `This statement has to be approved, and has ${size} bytes with its values; ${maxHeld} at most can be shown.`
      throw new Problem('body-too-large', detail)
    }
    if (analysis.statements.some(isPositioned)) {
      const detail = 'Which row the cursor stands on cannot be shown, so nobody can approve this.'
      throw new Problem('ambiguous-request', detail)
    }
    // Finish whatever comes before it first. If that fails, this statement is skipped, and nobody
    // should be asked in vain.
    await server.drain()
    if (server.answers.status === 'E') throw new FailedTransaction()
    const naming = definitionsQuestion(analysis.sql, settings.searchPath)
    const [set, seen] = await server.askAll([settings.changesQuestion, ...(naming ? [naming] : [])])
    return {
      text,
      prepared: executedNames(analysis.statements).map((name) => ({
        name,
        text: names.prepared.get(name) ?? names.statements.all.get(name)?.text ?? '',
      })),
      types,
      bound,
      database,
      role: settings.role,
      searchPath: settings.searchPath,
      temporary: [...settings.temporary.keys()],
      settings: changedIn(set!),
      definitions:
        naming && (await definitionsIn(seen!, naming, (more) => server.ask(more), outside)),
      contested: naming !== null && isContested(seen!),
      copiesIn: has(analysis.statements, 'copy-in'),
    }
  }

  /** Whether waiting here would keep locks that others may need. */
  get #inTransaction(): boolean {
    const { answers } = this.#init.server
    const begins = answers.outstanding.some(({ statements }) => has(statements, 'begin'))
    return answers.status !== 'I' || begins
  }
}

function movesCursors({ kind }: Expected): boolean {
  return kind !== 'parse' && kind !== 'describe'
}

/** Whether this reading needs nothing from the server, nor from messages on their way to it. */
function isComplete({ missing, statements }: Analysis): boolean {
  return missing.length === 0 && !has(statements, 'fetch') && !has(statements, 'execute')
}

function sizeOf(text: string, bound: BindRequest | null): number {
  const values = bound?.values ?? []
  return values.reduce((sum, value) => sum + (value?.length ?? 0), Buffer.byteLength(text))
}

/** `undefined` where one of the values is in binary. */
function textsOf({ formats, values }: BindRequest): (string | null)[] | undefined {
  if (formats.some((format) => format !== 0)) return undefined
  return values.map((value) => (value === null ? null : value.toString()))
}
