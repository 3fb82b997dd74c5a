import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startMatrix, type Matrix } from './matrix.ts'
import { run } from './run.ts'

/** Drivers of other languages, as Debian has them: their sessions are programs of test/clients. */
interface Driver {
  readonly name: string
  /** Debian's package. */
  readonly needs: string
  readonly there: boolean
  readonly command: readonly [string, ...string[]]
}

const python = '/usr/bin/python3'
const jar = '/usr/share/java/postgresql.jar'

const inPython = (name: string, module: string): Driver => ({
  name,
  needs: `python3-${module}`,
  there: succeeds(python, ['-c', `import ${module}`]),
  command: [python, `test/clients/${module}_session.py`],
})

const drivers: readonly Driver[] = [
  inPython('psycopg2', 'psycopg2'),
  inPython('psycopg 3', 'psycopg'),
  inPython('asyncpg', 'asyncpg'),
  {
    name: 'pgjdbc',
    needs: 'libpostgresql-jdbc-java and openjdk-17-jdk-headless',
    there: existsSync(jar) && succeeds('javac', ['-version']),
    command: ['java', '-XX:TieredStopAtLevel=1', '-cp', jar, 'test/clients/JdbcSession.java'],
  },
  {
    name: "PHP's PDO and pgsql",
    needs: 'php-pgsql',
    there: succeeds('php', ['-r', 'extension_loaded("pdo_pgsql") || exit(1);']),
    command: ['php', 'test/clients/pdo_session.php'],
  },
  {
    name: 'DBD::Pg',
    needs: 'libdbd-pg-perl',
    there: succeeds('perl', ['-MDBD::Pg', '-e', '1']),
    command: ['perl', 'test/clients/dbd_session.pl'],
  },
  {
    name: "Ruby's pg",
    needs: 'ruby-pg',
    there: succeeds('ruby', ['-rpg', '-e', '1']),
    command: ['ruby', 'test/clients/pg_session.rb'],
  },
]

describe.runIf(hasPostgres).each(drivers)(
  '$name',
  ({ needs, there, command: [program, ...args] }) => {
    let matrix: Matrix
    beforeAll(async () => {
      if (there) matrix = await startMatrix()
    })
    afterAll(() => matrix?.close())

    test('sees no difference', async ({ skip }) => {
      if (!there) skip(`${needs} is not installed`)
      // What a driver grumbles about on the way out has the addresses of its objects in it.
      const said = async (where: Matrix['direct']) => {
        const { code, out } = await run(program, [...args, 'everything'], where)
        return { code, out }
      }
      const direct = await said(matrix.direct)
      expect(direct.code).toBe(0)
      expect(await said(await matrix.open())).toEqual(direct)
    })

    test('is denied, and the session goes on', async ({ skip }) => {
      if (!there) skip(`${needs} is not installed`)
      const { code, out, notes } = await run(program, [...args, 'denied'], await matrix.ruled())
      expect({ code, notes }).toEqual({ code: 0, notes: '' })
      expect(out).toContain('denied by policy: Rule the-vault-stays-closed denies this.')
      expect(out).toContain('42501')
    })

    test('waits for an approval, and runs then', async ({ skip }) => {
      if (!there) skip(`${needs} is not installed`)
      const running = run(program, [...args, 'held'], await matrix.ruled())
      expect(await matrix.approve()).toMatch(/^DELETE FROM customers WHERE id = (\$1|50)$/)
      const { code, notes } = await running
      expect(code).toBe(0)
      // Some drivers print what they are told, and some keep it.
      expect(notes).toMatch(/^(NOTICE: {2}held for approval .*\n)?$/)
      expect(await matrix.customers()).toBe(49)
    })
  },
)

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
