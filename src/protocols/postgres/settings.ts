import { requireReadable } from './readable.ts'
import type { Rows, ServerSide } from './server-side.ts'
import { changesReading } from './sql/changes.ts'
import type {
  CatalogueSource,
  SessionChange,
  SqlContext,
  Statement,
  TemporaryKind,
} from './sql/statement.ts'

/** What is changed by them is asked for again before the next statement is read. */
const changing = new Set<SessionChange['kind']>(['opaque', 'temporary', 'discard', 'ddl'])

// Every name is qualified: the session's own search_path must not decide what this means. Short: a
// new session pays for each catalogue that a question is planned with.
const question = `SELECT pg_catalog.to_json(pg_catalog.current_schemas(true)), current_user,
  pg_catalog.current_setting('client_encoding'),
  pg_catalog.current_setting('standard_conforming_strings'),
  pg_catalog.pg_my_temp_schema()`

/** What is in the session's temporary schema. */
const temporaryNames = `SELECT relname, relkind FROM pg_catalog.pg_class
   WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
  UNION ALL SELECT typname, typtype FROM pg_catalog.pg_type
   WHERE typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
     AND typrelid OPERATOR(pg_catalog.=) 0 AND typelem OPERATOR(pg_catalog.=) 0`

const changedSettings = `SELECT name, setting FROM pg_catalog.pg_settings
 WHERE source OPERATOR(pg_catalog.=) 'client' OR source OPERATOR(pg_catalog.=) 'session'`

/**
 * One that no extension knows, and anybody may make up: what the policies of tables read
 * (`app.tenant`). No list of the server's has it.
 */
function customSetting(name: string): string {
  const literal = `'${name.replaceAll("'", "''")}'`
  return ` UNION ALL SELECT ${literal}, pg_catalog.current_setting(${literal}, true)`
}

const nothing: ReadonlyMap<string, Statement> = new Map()

/** What names the client and does nothing else; and what never changes. */
const meaningless = new Set(['application_name', 'client_encoding'])

/**
 * What the meaning of the session's next text depends on. The server is asked, and not guessed at:
 * after each statement that may have changed it, and after the end of each transaction in which
 * that happened, since a rollback takes it back.
 */
export class Settings {
  readonly #server: ServerSide
  readonly #database: string
  readonly #catalogues: CatalogueSource
  readonly #harmless: ReadonlySet<string>
  // Owned by #refresh().
  #searchPath: readonly string[] = []
  #role = ''
  #temporary: ReadonlyMap<string, TemporaryKind> = new Map()
  // Owned by forwarded() and the answers: what is known may be wrong; it was changed in a
  // transaction that has not ended.
  #stale = true
  #touched = false
  #touchedIn = -1
  // The catalogue that was known when the server was asked.
  #version = 0
  // Settings that the session has made up.
  readonly #custom = new Set<string>()
  // Names of the catalogue mean something else in this transaction, which nobody outside of it can
  // see.
  #moved = false
  // Owned by contextNow(): what was said last, for as long as nothing of it is different.
  #said: SqlContext | null = null

  constructor(
    server: ServerSide,
    database: string,
    catalogues: CatalogueSource,
    harmless: ReadonlySet<string>,
  ) {
    this.#server = server
    this.#database = database
    this.#catalogues = catalogues
    this.#harmless = harmless
  }

  get role(): string {
    return this.#role
  }

  get searchPath(): readonly string[] {
    return this.#searchPath
  }

  get temporary(): ReadonlyMap<string, TemporaryKind> {
    return this.#temporary
  }

  /** These statements are on their way to the server. */
  forwarded(statements: readonly Statement[], segment: number): void {
    for (const change of statements.flatMap(({ session }) => session)) {
      if (change.kind === 'ddl' && change.moves) this.#moved = true
      if (change.kind === 'set' && change.name?.includes('.')) this.#custom.add(change.name)
      if (changesReading(change) || changing.has(change.kind)) {
        this.#stale = true
        this.#touched = true
        this.#touchedIn = segment
      } else if (this.#touched && /commit|rollback/.test(change.kind)) {
        this.#stale = true
      }
    }
  }

  /** A text that nobody could read is on its way: it may change anything. */
  forwardedUnread(segment: number): void {
    this.#stale = true
    this.#touched = true
    this.#touchedIn = segment
  }

  /** An error: what was set in its transaction may be undone. */
  broken(): void {
    if (this.#touched) this.#stale = true
  }

  ready(status: string): void {
    if (status !== 'I' || !this.#touched) return
    this.#stale = true
    // What is on its way may begin the next transaction, and set something in it.
    if (this.#server.answers.outstanding.length > 0) return
    this.#touched = false
    this.#moved = false
  }

  /** For a text that names nothing but settings: nobody is asked. */
  get withoutNames(): Omit<SqlContext, 'prepared' | 'cursors'> {
    return {
      searchPath: this.#searchPath,
      role: this.#role,
      database: this.#database,
      catalogue: null,
      unsettled: this.#touched,
      temporary: this.#temporary,
      harmless: this.#harmless,
    }
  }

  /**
   * What the next text means, and the same object as before where that is the same; `null` where
   * the server has to be asked.
   */
  contextNow(segment: number): SqlContext | null {
    if (this.#stale || this.#moved || (this.#touched && this.#touchedIn !== segment)) return null
    const catalogue = this.#catalogues.current()
    if (catalogue instanceof Promise) return null
    if (catalogue && catalogue.version !== this.#version) return null
    const said = this.#said
    if (said?.catalogue === catalogue && said.unsettled === this.#touched) return said
    this.#said = { ...this.withoutNames, catalogue, cursors: nothing, prepared: nothing }
    return this.#said
  }

  /**
   * What the next text means. Asks the server, if that may have changed; throws `Skipped` if the
   * text will not be looked at. `anew`: what the catalogue says now, and not a moment ago.
   */
  async context(
    segment: number,
    { anew }: { readonly anew: boolean } = { anew: false },
  ): Promise<Omit<SqlContext, 'prepared' | 'cursors'>> {
    // What comes before is waited for: if it fails, what it set is undone, and this is not skipped.
    if (this.#stale || (this.#touched && this.#touchedIn !== segment)) {
      await this.#server.drain()
      this.#touchedIn = segment
    }
    const catalogue = this.#moved ? null : await this.#catalogues.current(anew)
    if (catalogue && catalogue.version !== this.#version) {
      // A schema that others have made may come earlier in the path than those that were there.
      this.#stale = true
      await this.#server.drain()
    }
    if (this.#stale && this.#server.answers.status !== 'E') await this.#refresh()
    if (catalogue && !this.#stale) this.#version = catalogue.version
    return {
      ...this.withoutNames,
      // In a failed transaction nobody can be asked. Closed: what the rest of the text means is
      // unknown then.
      catalogue: this.#stale ? null : catalogue,
    }
  }

  /** Asks for everything that this session has set. */
  get changesQuestion(): string {
    return changedSettings + [...this.#custom].map(customSetting).join('')
  }

  async #refresh(): Promise<void> {
    const [row] = await this.#server.ask(question)
    const [schemas, role, encoding, strings, temporarySchema] = row!
    // The server reports a change no earlier than at ReadyForQuery, which may be later than the
    // next text.
    requireReadable('client_encoding', encoding!)
    requireReadable('standard_conforming_strings', strings!)
    const kinds = temporarySchema === '0' ? [] : await this.#server.ask(temporaryNames)
    const names = JSON.parse(schemas!) as string[]
    // Each session has one of its own, under a number.
    this.#searchPath = names.map((name) => (/^pg_temp_\d+$/.test(name) ? 'pg_temp' : name))
    this.#role = role!
    // A table, or one with partitions (pg_class.relkind).
    this.#temporary = new Map(
      kinds.map(([name, kind]) => [name!, kind === 'r' || kind === 'p' ? 'table' : 'other']),
    )
    this.#stale = false
    this.#said = null
  }
}

/**
 * Everything that a session has set, as an approver should know it: of the answer to
 * `changesQuestion`.
 */
export function changedIn(rows: Rows): Record<string, string> {
  return Object.fromEntries(
    rows
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name ?? '', value ?? ''] as const)
      .filter(([name]) => !meaningless.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
