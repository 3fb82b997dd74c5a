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

/** Changes after which the server is asked again, before the next statement is read. */
const changing = new Set<SessionChange['kind']>(['opaque', 'temporary', 'discard', 'ddl'])

// Every name is qualified, so that the session's search_path cannot decide what this means. Kept
// short, because a new session pays for each catalogue that planning a question touches.
const question = `SELECT pg_catalog.to_json(pg_catalog.current_schemas(true)), current_user,
  pg_catalog.current_setting('client_encoding'),
  pg_catalog.current_setting('standard_conforming_strings'),
  pg_catalog.pg_my_temp_schema()`

/** The contents of the session's temporary schema. */
const temporaryNames = `SELECT relname, relkind FROM pg_catalog.pg_class
   WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
  UNION ALL SELECT typname, typtype FROM pg_catalog.pg_type
   WHERE typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
     AND typrelid OPERATOR(pg_catalog.=) 0 AND typelem OPERATOR(pg_catalog.=) 0`

const changedSettings = `SELECT name, setting FROM pg_catalog.pg_settings
 WHERE source OPERATOR(pg_catalog.=) 'client' OR source OPERATOR(pg_catalog.=) 'session'`

/**
 * Asks for a setting that anybody may make up, as policies of tables read them (`app.tenant`). The
 * server lists no such settings.
 */
function customSetting(name: string): string {
  const literal = `'${name.replaceAll("'", "''")}'`
  return ` UNION ALL SELECT ${literal}, pg_catalog.current_setting(${literal}, true)`
}

const nothing: ReadonlyMap<string, Statement> = new Map()

/** Settings that approvers need not see: one only names the client, the other never changes. */
const meaningless = new Set(['application_name', 'client_encoding'])

/**
 * The state of the session that decides what its next text means. We never guess it, but ask the
 * server: after each statement that may have changed it, and after the end of each transaction in
 * which that happened, since a rollback undoes it.
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
  // Owned by forwarded() and the answers. Stale: what we know may be wrong. Touched: it was changed
  // in a transaction that has not ended, in the segment below.
  #stale = true
  #touched = false
  #touchedIn = -1
  // The version of the catalogue when the server was last asked.
  #version = 0
  // Names of settings that the session has made up.
  readonly #custom = new Set<string>()
  // This transaction has changed what names mean in the catalogue, which cannot be seen from
  // outside it.
  #moved = false
  // Owned by contextNow(): the last answer, reused until any part of it changes.
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

  /** A text that we could not read is on its way, and may change anything. */
  forwardedUnread(segment: number): void {
    this.#stale = true
    this.#touched = true
    this.#touchedIn = segment
  }

  /** An error may undo what its transaction has set. */
  broken(): void {
    if (this.#touched) this.#stale = true
  }

  ready(status: string): void {
    if (status !== 'I' || !this.#touched) return
    this.#stale = true
    // A message on its way may begin the next transaction, and set something there.
    if (this.#server.answers.outstanding.length > 0) return
    this.#touched = false
    this.#moved = false
  }

  /** The context for a text that names nothing but settings. The server need not be asked. */
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
   * The context of the next text: the same object as before where nothing has changed, `null` where
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
   * The context of the next text. Asks the server if that may have changed; rejects with `Skipped`
   * if the server will skip the text. `anew`: reads the catalogue as it is now, not as it was a
   * moment ago.
   */
  async context(
    segment: number,
    { anew }: { readonly anew: boolean } = { anew: false },
  ): Promise<Omit<SqlContext, 'prepared' | 'cursors'>> {
    // Wait for what comes before: if it fails, its settings are undone, and this text is not
    // skipped.
    if (this.#stale || (this.#touched && this.#touchedIn !== segment)) {
      await this.#server.drain()
      this.#touchedIn = segment
    }
    const catalogue = this.#moved ? null : await this.#catalogues.current(anew)
    if (catalogue && catalogue.version !== this.#version) {
      // Somebody may have created a schema that comes earlier in the path.
      this.#stale = true
      await this.#server.drain()
    }
    if (this.#stale && this.#server.answers.status !== 'E') await this.#refresh()
    if (catalogue && !this.#stale) this.#version = catalogue.version
    return {
      ...this.withoutNames,
      // The server answers nothing in a failed transaction. Closed: without a catalogue, the
      // meaning of the text is unknown.
      catalogue: this.#stale ? null : catalogue,
    }
  }

  /** The query for everything that this session has set (`changedIn` reads its answer). */
  get changesQuestion(): string {
    return changedSettings + [...this.#custom].map(customSetting).join('')
  }

  async #refresh(): Promise<void> {
    const [row] = await this.#server.ask(question)
    const [schemas, role, encoding, strings, temporarySchema] = row!
    // The server reports a change at ReadyForQuery at the earliest, which may be later than the
    // next text.
    requireReadable('client_encoding', encoding!)
    requireReadable('standard_conforming_strings', strings!)
    const kinds = temporarySchema === '0' ? [] : await this.#server.ask(temporaryNames)
    const names = JSON.parse(schemas!) as string[]
    // Each session has a temporary schema of its own, with a number in its name.
    this.#searchPath = names.map((name) => (/^pg_temp_\d+$/.test(name) ? 'pg_temp' : name))
    this.#role = role!
    // `r` is a table, `p` one with partitions (pg_class.relkind).
    this.#temporary = new Map(
      kinds.map(([name, kind]) => [name!, kind === 'r' || kind === 'p' ? 'table' : 'other']),
    )
    this.#stale = false
    this.#said = null
  }
}

/**
 * Everything that a session has set and an approver should know, from the answer to
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
