import type { PostgresResource } from '../../config/schema.ts'
import { Rejection } from './rejection.ts'
import { isHarmlessSetting } from './sql/settings.ts'

/** What a client asks for in its start-up message. */
export interface StartRequest {
  /** What the client calls itself. It is recorded, and used for nothing else. */
  readonly user: string
  readonly database: string
  /** The client has a token and wants to be asked for it, although its certificate would do. */
  readonly hasToken: boolean
  /** What the server gets, apart from the user. */
  readonly parameters: ReadonlyMap<string, string>
  /** Options of the protocol (`_pq_.…`) that are not known here. */
  readonly unknownOptions: readonly string[]
}

/**
 * Settings that a session may begin with although it may not simply set them later. Nothing has
 * been read yet at the start, and we ask what names mean only afterwards.
 */
const alsoAtStart = new Set(['search_path'])

/**
 * Reads the parameters of a start-up message. Throws a `Rejection` for what could change who acts
 * or how text is read.
 */
export function readParameters(
  given: ReadonlyMap<string, string>,
  { databases }: PostgresResource['upstream'],
): StartRequest {
  const user = given.get('user')
  if (!user) throw new Rejection('28000', 'no PostgreSQL user name specified in startup packet')
  // Checked first, because replication clients name no database, or one called `replication`
  // (pg_basebackup).
  if (given.has('replication') && !/^(false|off|no|0)$/i.test(given.get('replication')!))
    throw new Rejection('42501', 'replication is not available through this gateway')
  const database = given.get('database') || user
  if (!databases.includes(database)) {
    const known = databases.join(', ')
    throw new Rejection('3D000', `database "${database}" is not available here`, `Use: ${known}.`)
  }

  const parameters = new Map([
    ['database', database],
    ['client_encoding', 'UTF8'],
  ])
  const unknownOptions: string[] = []
  let hasToken = false
  // As on the server, a parameter of its own wins over one in "options".
  for (const [name, value] of new Map(settingsIn(given))) {
    if (name.startsWith('_pq_.')) unknownOptions.push(name)
    else if (name === 'client_encoding') requireUtf8(value)
    else if (name === 'sallyport.credential') hasToken = isToken(value)
    else if (isHarmlessSetting(name, [value]) || alsoAtStart.has(name)) parameters.set(name, value)
    else
      throw new Rejection(
        '42501',
        `"${name}" cannot be set when connecting through this gateway`,
        'Leave it out, or set it by a statement, which policies can allow.',
      )
  }
  return { user, database, hasToken, parameters, unknownOptions }
}

function* settingsIn(given: ReadonlyMap<string, string>): Generator<readonly [string, string]> {
  yield* optionsIn(given.get('options') ?? '')
  for (const [name, value] of given) {
    if (!['user', 'database', 'replication', 'options'].includes(name))
      yield [name.startsWith('_pq_.') ? name : name.toLowerCase(), value]
  }
}

/**
 * `-c name=value` and `--name=value`, with blanks escaped by a backslash (PostgreSQL documentation,
 * "Connection Settings"). Everything else is refused.
 */
function* optionsIn(text: string): Generator<readonly [string, string]> {
  const words = (text.match(/(\\.|[^\s\\])+/gs) ?? []).map((word) => word.replace(/\\(.)/gs, '$1'))
  for (let i = 0; i < words.length; i++) {
    const word = words[i] === '-c' ? `-c${words[++i] ?? ''}` : words[i]!
    const [, name, value] = /^(?:-c|--)([A-Za-z_][\w.-]*)=(.*)$/s.exec(word) ?? []
    if (name === undefined || value === undefined)
      throw new Rejection('42501', 'only settings can be given in "options" here')
    yield [name.toLowerCase().replaceAll('-', '_'), value]
  }
}

/** Closed: a client that asked for another credential must not be let in with its certificate. */
function isToken(value: string): boolean {
  if (value === 'token') return true
  throw new Rejection(
    '22023',
    `"sallyport.credential" cannot be "${value}"`,
    'Write token, or leave it out: then a client certificate that stands for somebody says who acts.',
  )
}

function requireUtf8(value: string): void {
  if (/^('?)(utf-?8|unicode)\1$/i.test(value.trim())) return
  throw new Rejection(
    '0A000',
    `client_encoding "${value}" is not available through this gateway`,
    'Use UTF8: set PGCLIENTENCODING=UTF8, or leave the setting out.',
  )
}
