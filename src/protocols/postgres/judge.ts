import { Problem } from '../../core/errors.ts'
import { definitionsIn, definitionsQuestion } from './definitions.ts'
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
  /** A connection of the gateway's own. */
  readonly outside: Probe
  /** Facts that the policies in force look at. */
  readonly needs: () => readonly string[]
  readonly database: string
  /** Milliseconds that a statement is held. */
  readonly wait: number
  readonly waitInTransaction: number
  /** Bytes of the largest text, with its values, that is held. */
  readonly maxHeld: number
}

/** What a text runs with, besides itself. */
export interface Values {
  readonly types: readonly number[]
  readonly bound: BindRequest | null
}

const nothing: ReadonlyMap<string, Statement> = new Map()

/**
 * One statement that looks up no name but those of settings. SET TRANSACTION has to be the first in
 * its transaction, and the gateway's own question would come before it. No backslash: what a string
 * is may be in question too.
 */
const setsAlone = /^\s*(set|reset|show)\s[\w\s.,='"-]*(;\s*)?$/i

/** Finds out what a text means in its session, and whether it may run there. */
export class Judge {
  readonly #init: JudgeInit

  constructor(init: JudgeInit) {
    this.#init = init
  }

  /**
   * What the text means here and now: at once, where everything that it depends on is known.
   * `parameters`: OIDs of their types, as far as the client gave them.
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

  /** The same, with whatever has to be asked and waited for. `begun`: what is known already. */
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
    // What is on its way may close a cursor, and give its name to another one.
    if (has(analysis.statements, 'fetch') && server.answers.outstanding.some(movesCursors)) {
      await server.drain()
      return this.#ask(text, segment, parameters)
    }
    const executed = executedNames(analysis.statements)
    if (executed.length === 0) return analysis
    // What is on its way may give these names to other texts.
    if (!names.settled) await server.drain()
    return this.#readExecute(text, executed, segment, parameters)
  }

  /** Somebody may have made just now what it names. */
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
   * A text that executes what PREPARE or Parse has given names to. The server plans that anew when
   * names have come to mean something else, and so it is read anew here.
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

  /** What EXECUTE of this name runs: the query of its PREPARE, or the text of its Parse. */
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
   * The run of a text that is an action, `null` for one that is only about the session; or why it
   * is refused. `ran`: something has run before it that is not committed yet.
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
    // A portal is a cursor, too: asyncpg moves its own by SQL.
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
    // Permitted and on record; it goes no further all the same.
    run.finish('failed', refusal.code)
    return refusal
  }

  /**
   * Why what was permitted a while ago does not begin, or go on, or `null`. `settings`: how often
   * the session has changed its settings.
   */
  refusedSince(run: Run, settings = run.settings): Promise<Report | null> {
    return this.#init.authoriser.refusedSince(run, settings)
  }

  /** Asked for only where a rule looks at it. */
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
    // Whatever comes before it is over before anybody is asked: if it failed, this is skipped, and
    // nobody decides about it in vain.
    await server.drain()
    if (server.answers.status === 'E') throw new FailedTransaction()
    const naming = definitionsQuestion(analysis.sql)
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
      definitions: naming && (await definitionsIn(seen!, naming, outside)),
      copiesIn: has(analysis.statements, 'copy-in'),
    }
  }

  /** Whether waiting here keeps locks that others may need. */
  get #inTransaction(): boolean {
    const { answers } = this.#init.server
    const begins = answers.outstanding.some(({ statements }) => has(statements, 'begin'))
    return answers.status !== 'I' || begins
  }
}

function movesCursors({ kind }: Expected): boolean {
  return kind !== 'parse' && kind !== 'describe'
}

/** Whether neither the server nor what is on its way to it has to do with it. */
function isComplete({ missing, statements }: Analysis): boolean {
  return missing.length === 0 && !has(statements, 'fetch') && !has(statements, 'execute')
}

function sizeOf(text: string, bound: BindRequest | null): number {
  const values = bound?.values ?? []
  return values.reduce((sum, value) => sum + (value?.length ?? 0), Buffer.byteLength(text))
}

/** `undefined` where one of them is in binary. */
function textsOf({ formats, values }: BindRequest): (string | null)[] | undefined {
  if (formats.some((format) => format !== 0)) return undefined
  return values.map((value) => (value === null ? null : value.toString()))
}
