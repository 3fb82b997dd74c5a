import { Command, Option } from 'commander'
import { z } from 'zod'
import { isLoopback } from '../../core/loopback.ts'
import { visible } from '../../core/visible.ts'
import { connect, type ControlPlane } from '../control-plane.ts'
import { ProgramEnded, Refusal, UsageError } from '../errors.ts'
import { jsonText } from '../json-text.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

const resource = z.looseObject({
  name: z.string(),
  protocol: z.string(),
  host: z.string().nullable(),
  port: z.int(),
  tls: z.boolean(),
  prefix: z.string().nullable(),
  databases: z.array(z.string()),
})

type Resource = z.output<typeof resource>

interface Options {
  readonly database?: string
  readonly host?: string
  readonly port?: string
  readonly json?: boolean
}

export function connectTo(terminal: Terminal): Command {
  return new Command('connect')
    .description('open a database through the gateway, as yourself')
    .argument('[resource]', 'its name; left out, everything that is behind the gateway is listed')
    .argument(
      '[program...]',
      'what to run, behind `--`; psql if left out, or if options come first',
    )
    .option('-d, --database <name>', 'which of its databases; the first if left out')
    .option('--host <name>', 'where the gateway is, if that is not where the console is')
    .option('--port <number>', 'and its port there')
    .addOption(new Option('--json', 'of the list: as JSON'))
    .action(async (name: string | undefined, program: string[], options: Options) => {
      const plane = await connect(terminal)
      const all = await plane.get('/api/resources', z.object({ resources: z.array(resource) }))
      if (name === undefined) return terminal.print(listed(all, plane, options))
      const found = databaseOf(all.resources, name)
      // An argument that begins with a dash is not a program but an option for psql.
      const [file = 'psql', ...args] = program[0]?.startsWith('-') ? ['psql', ...program] : program
      const code = await terminal.run(file, args, {
        ...withoutOtherPlaces(terminal.environment),
        ...(await variables(found, plane, options, terminal)),
      })
      if (code !== 0) throw new ProgramEnded(code)
    })
}

function listed(
  all: { resources: Resource[] },
  plane: ControlPlane,
  { json, host }: Options,
): string {
  if (json) return jsonText(all, 2)
  const rows = all.resources.map((it) => {
    const scheme = it.protocol === 'http' && it.tls ? 'https' : it.protocol
    const address = `${scheme}://${host ?? hostOf(it, plane)}:${it.port}`
    const paths = it.protocol === 'http' ? [it.prefix ?? ''] : it.databases.map((db) => `/${db}`)
    return [it.name, it.protocol, paths.map((path) => address + path).join(' ')]
  })
  return table(['NAME', 'PROTOCOL', 'ADDRESS'], rows)
}

function databaseOf(resources: readonly Resource[], name: string): Resource {
  const found = resources.find((it) => it.name === name)
  const databases = resources.filter(({ protocol }) => protocol === 'postgres')
  if (found?.protocol === 'postgres') return found
  const names = visible(databases.map((it) => it.name).join(', ')) || 'none'
  throw new Refusal(
    found
      ? `${visible(name)} is no database. Send it requests with your token, at the address that \`sallyport connect\` shows. Databases: ${names}.`
      : `There is no resource ${visible(name)}. Databases: ${names}.`,
  )
}

/**
 * The environment variables by which libpq, and other programs that read them, connect to the
 * resource (PostgreSQL 18, §32.15).
 */
async function variables(
  found: Resource,
  plane: ControlPlane,
  { database = found.databases[0]!, host = hostOf(found, plane), port }: Options,
  terminal: Terminal,
): Promise<Record<string, string>> {
  if (!found.databases.includes(database))
    throw new UsageError(
      `${found.name} has no database ${visible(database)}.`,
      `Choose one of these: ${visible(found.databases.join(', '))}.`,
    )
  if (!found.tls && !isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`))
    terminal.note(
      `Careful: ${visible(found.name)} at ${visible(host)} speaks no TLS, so others on the way can read your token.`,
    )
  const me = await plane.get(
    '/api/me',
    z.looseObject({ person: z.looseObject({ subject: z.string(), email: z.string().nullable() }) }),
  )
  return {
    PGHOST: host,
    PGPORT: port ?? String(found.port),
    PGDATABASE: database,
    // For information only: the token says who this is.
    PGUSER: me.person.email ?? me.person.subject,
    PGPASSWORD: plane.token,
    // The gateway offers no encryption but TLS. Where Kerberos is available, libpq would ask for
    // GSSAPI encryption first.
    PGGSSENCMODE: 'disable',
    ...(found.tls
      ? {
          PGSSLMODE: 'verify-full',
          PGSSLROOTCERT: terminal.environment.PGSSLROOTCERT ?? 'system',
        }
      : { PGSSLMODE: 'disable' }),
  }
}

/** Removes the variables that would make libpq send the token to another server. */
function withoutOtherPlaces({
  PGHOSTADDR: _address,
  PGSERVICE: _service,
  PGSERVICEFILE: _file,
  ...rest
}: Terminal['environment']): Terminal['environment'] {
  return rest
}

function hostOf({ host }: Resource, { url }: ControlPlane): string {
  return host ?? new URL(url).hostname.replace(/^\[|\]$/g, '')
}
