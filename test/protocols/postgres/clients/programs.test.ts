import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { findPostgres } from '../../../support/postgres.ts'
import { hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'
import { run, variables } from './run.ts'

const bin = findPostgres() ?? ''
const program = (name: string) => join(bin, name)
const psql = ['-X', '-v', 'VERBOSITY=verbose']

describe.runIf(hasPostgres && bin !== '')("PostgreSQL's own programs", () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = await startMatrix()
  })
  afterAll(() => matrix.close())

  test('psql: describes, transactions, COPY, prepared statements, errors', async () => {
    const script = `\\d
\\d customers
\\d+ named
\\df
\\dT+
\\du
\\dn+
\\sf shout
\\encoding
BEGIN;
INSERT INTO customers VALUES (960, 'p');
SAVEPOINT s;
INSERT INTO customers VALUES (960, 'p');
SELECT 1;
ROLLBACK TO s;
SELECT * FROM customers WHERE id = 960 \\gx
ROLLBACK;
SELECT 1/0;
SELEC 1;
SELECT 1 AS a \\; SELECT 2 AS b;
\\set AUTOCOMMIT off
SELECT 1;
ROLLBACK;
\\set AUTOCOMMIT on
\\set ON_ERROR_ROLLBACK on
BEGIN;
SELECT nothing;
SELECT 1;
COMMIT;
\\set FETCH_COUNT 10
SELECT * FROM customers ORDER BY id;
\\unset FETCH_COUNT
PREPARE p(int) AS SELECT name FROM customers WHERE id = $1;
EXECUTE p(7);
DEALLOCATE p;
CREATE TEMPORARY TABLE copied (id int, word text);
COPY copied FROM STDIN;
1	one
2	two
\\.
\\copy copied to stdout csv
COPY copied FROM STDIN;
wrong
\\.
SELECT id, word FROM copied ORDER BY 1 \\crosstabview
SELECT id FROM customers \\gdesc
SELECT format('SELECT %s', i) FROM generate_series(1, 3) i \\gexec
LISTEN news; NOTIFY news, 'extra';
SELECT shout('hey');
DO $$ BEGIN RAISE WARNING 'careful'; END $$;
SET search_path = pg_catalog;
SHOW search_path;
`
    // The process id of the notification is another one each time.
    const seen = async (address: Address) => {
      const { out, ...ran } = await run(program('psql'), psql, address, script)
      return { ...ran, out: out.replace(/PID \d+/, 'PID') }
    }
    const direct = await seen(matrix.direct)
    expect(direct.out).toContain('customers_pkey')
    expect(await seen(await matrix.open())).toEqual(direct)
  })

  test('psql: files, variables, what went wrong, large objects', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-psql-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = (name: string) => join(folder, name)
    writeFileSync(file('large'), 'large\n'.repeat(300_000))
    writeFileSync(file('script.sql'), 'INSERT INTO numbered VALUES (1);\nSELECT 1/0;\n')
    const script = `CREATE TABLE numbered (id int PRIMARY KEY, word text) PARTITION BY RANGE (id);
CREATE TABLE numbered_low PARTITION OF numbered FOR VALUES FROM (0) TO (100);
${described.map((command) => `\\${command}`).join('\n')}
SELECT 1/0;
\\errverbose
SELECT 7 AS x, 8 AS y \\gset
\\echo :x :y :SERVER_VERSION_NUM :ROW_COUNT :LAST_ERROR_SQLSTATE
\\if :x
SELECT :x;
\\endif
SELECT :'x'::int, $$quoted$$ \\gdesc
SELECT * FROM customers LIMIT 2 \\g (format=csv) /dev/stdout
\\copy numbered FROM PROGRAM 'seq 10 15 | sed s/$/,x/' csv
\\copy (SELECT * FROM numbered) TO '${file('copied')}' csv header
\\copy numbered FROM nowhere
\\copy numbered TO PROGRAM 'cat -n'
COPY numbered FROM STDIN \\; SELECT count(*) FROM numbered \\; COPY numbered TO STDOUT;
20	y
\\.
\\ir ${file('script.sql')}
SELECT count(*) FROM numbered;
\\lo_import ${file('large')}
\\lo_export :LASTOID ${file('exported')}
\\! cmp ${file('large')} ${file('exported')} && echo the same
\\lo_unlink :LASTOID
\\lo_unlink 1
BEGIN;
SELECT nothing;
ROLLBACK;
DROP TABLE numbered;
`
    const seen = async (address: Address) => {
      const first = await run(program('psql'), [...psql, '-a'], address, script)
      const whole = await run(program('psql'), [...psql, '-1', '-f', file('script.sql')], address)
      return [first.out.replaceAll(/^(lo_\w+) \d+$/gm, '$1'), first.notes, whole]
    }
    const direct = await seen(matrix.direct)
    expect(direct[0]).toContain('the same\n')
    expect(await seen(await matrix.open())).toEqual(direct)
  })

  test.each([
    ['what runs', 'SELECT pg_sleep(60);\n'],
    ['what is copied out', 'COPY (SELECT pg_sleep(60) FROM generate_series(1, 9)) TO STDOUT;\n'],
    ['\\watch', 'SELECT pg_sleep(60) \\watch 1\n'],
  ])('psql: Ctrl-C ends %s, and the session goes on', async (_, sleeping) => {
    const outcome = async (address: Address) => {
      const child = spawn(program('psql'), psql, { env: variables(address) })
      const out = Promise.all([text(child.stdout), text(child.stderr)])
      child.stdin.end(`${sleeping}SELECT 'after';\n`)
      await sleeps(matrix)
      child.kill('SIGINT')
      const [code] = (await once(child, 'close')) as [number]
      return { code, out: await out }
    }
    const direct = await outcome(matrix.direct)
    expect(await outcome(await matrix.open())).toEqual(direct)
  })

  test('psql: denied, in a transaction, which is as failed as after any error', async () => {
    const script =
      "\\echo :SQLSTATE\nBEGIN;\nSELECT * FROM vault;\n\\echo :SQLSTATE\nSELECT 1;\nCOMMIT;\nSELECT 'after';\n"
    const { out, notes } = await run(program('psql'), ['-X'], await matrix.ruled(), script)
    expect(notes).toMatch(
      /^ERROR: {2}denied by policy: Rule the-vault-stays-closed denies this\.\nDETAIL: {2}Rule: the-vault-stays-closed\. Reason: rule-denied\. Action: \S+\.\n/,
    )
    expect(notes).toContain('current transaction is aborted')
    expect(out).toMatch(/42501\nROLLBACK\n[^]*after/)
  })

  test('psql: held, it says so at once, and runs in its transaction', async () => {
    const script = 'BEGIN;\nDELETE FROM customers WHERE id = 50;\nCOMMIT;\n'
    const running = run(program('psql'), ['-X'], await matrix.ruled(), script)
    expect(await matrix.approve()).toBe('DELETE FROM customers WHERE id = 50;')
    const { out, notes } = await running
    expect(notes).toMatch(
      /^NOTICE: {2}held for approval \S+: deletions-need-a-lead, waiting for support-leads\n$/,
    )
    expect(out).toBe('BEGIN\nDELETE 1\nCOMMIT\n')
  })

  test('pg_dump writes the same, and pg_restore brings it back', async () => {
    const dump = (address: Address) => run(program('pg_dump'), ['--no-comments'], address)
    const direct = await dump(matrix.direct)
    expect(direct).toMatchObject({ code: 0, notes: '' })
    expect(withoutKey(await dump(await matrix.open()))).toEqual(withoutKey(direct))

    const folder = mkdtempSync(join(tmpdir(), 'sallyport-dump-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'dump')
    const archive = ['-Fc', '-f', file]
    expect(await run(program('pg_dump'), archive, await matrix.open())).toMatchObject({ code: 0 })
    const restore = ['--no-owner', '-d', matrix.empty, file]
    expect(await run(program('pg_restore'), restore, await matrix.open())).toMatchObject({
      code: 0,
      notes: '',
    })
    const restored = await dump({ ...matrix.direct, database: matrix.empty })
    expect(withoutKey(restored)).toEqual(withoutKey(direct))
  })

  test('several at once: pg_dump, pg_restore, with the snapshot of one; and the database is dropped behind them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-dump-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const to = join(folder, 'dump')
    const address = await matrix.open()
    const quietly = { code: 0, out: '', notes: '' }
    expect(await run(program('pg_dump'), ['-j', '3', '-Fd', '-f', to], address)).toEqual(quietly)
    const restore = ['-j', '2', '--no-owner', '--clean', '--if-exists', '-d', matrix.empty, to]
    expect(await run(program('pg_restore'), restore, address)).toEqual(quietly)
    const restored = await run(program('pg_dump'), ['--no-comments'], {
      ...matrix.direct,
      database: matrix.empty,
    })
    const original = await run(program('pg_dump'), ['--no-comments'], matrix.direct)
    expect(withoutKey(restored)).toEqual(withoutKey(original))
    expect(await run(program('dropdb'), [matrix.empty], address)).toEqual(quietly)
  })

  test.each([
    ['vacuumdb', '-z', '-t', 'customers'],
    ['vacuumdb', '--analyze-in-stages', '-t', 'customers'],
    ['reindexdb', '-t', 'customers'],
    ['reindexdb', '--concurrently', '-i', 'customers_email'],
    ['clusterdb', '-t', 'customers'],
    ['createuser', 'postgres'],
    ['dropuser', 'nobody-of-this-name'],
    ['createdb', 'not-allowed-to'],
    ['pg_dumpall', '--roles-only', '--no-role-passwords'],
    ['vacuumlo', '-n'],
  ])('%s, as directly', async (name, ...args) => {
    const inIt = name === 'vacuumlo' ? [matrix.direct.database] : []
    const ran = async (address: Address) =>
      withoutKey(await run(program(name), [...args, ...inIt], address))
    expect(await ran(await matrix.open())).toEqual(await ran(matrix.direct))
  })

  test('pg_isready says so; what replicates is refused, and told why', async () => {
    const address = await matrix.open()
    expect(await run(program('pg_isready'), [], address)).toMatchObject({ code: 0 })
    for (const [name, ...args] of [
      ['pg_basebackup', '-D', '-', '-Ft', '-X', 'none'],
      ['pg_receivewal', '-n', '-D', tmpdir()],
      ['pg_recvlogical', '--create-slot', '--slot', 's', '-d', matrix.direct.database],
    ] as const) {
      const { code, notes } = await run(program(name), args, address)
      expect(code).toBe(1)
      expect(notes).toContain('replication is not available through this gateway')
    }
  })

  test('pgbench, in each of its protocols', async () => {
    const ran = await run(program('pgbench'), ['-i', '-q'], await matrix.open())
    expect(ran).toMatchObject({ code: 0 })
    for (const protocol of ['simple', 'extended', 'prepared']) {
      const args = ['-n', '-c', '4', '-t', '5', '-M', protocol]
      const { code, out, notes } = await run(program('pgbench'), args, await matrix.open())
      expect({ code, notes: notes.replace(/^pgbench.*\n/, '') }).toEqual({ code: 0, notes: '' })
      expect(out).toContain('number of transactions actually processed: 20/20')
      expect(out).toContain('number of failed transactions: 0')
    }
  })

  test('pgbench, with statements in a pipeline', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-pgbench-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'pipeline.sql')
    writeFileSync(file, pipelined)
    const args = ['-n', '-t', '5', '-M', 'extended', '-f', file]
    const { code, out } = await run(program('pgbench'), args, await matrix.open())
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('actually processed: 5/5') as string,
    })
  })
})

/** psql's commands that ask the catalogue, each in its own way. */
const described = [
  'd+ numbered',
  'd numbered_low',
  'dS pg_class',
  'da count',
  'dA',
  'db',
  'dc utf8_to_latin1',
  'dC int4',
  'dconfig work_mem',
  'dd',
  'ddp',
  'dD',
  'dE',
  'des',
  'det',
  'dew',
  'df+ shout',
  'dF',
  'dFd',
  'dFp',
  'dFt',
  'dg',
  'di+ numbered*',
  'dl',
  'dL+',
  'dm',
  'do ||',
  'dO',
  'dp numbered',
  'dP+',
  'drds',
  'dRp',
  'dRs',
  'ds',
  'dT+ mood',
  'dv+',
  'dx+',
  'dX',
  'dy',
  'sv pg_stat_activity',
  'z customers',
]

const pipelined = `\\startpipeline
BEGIN;
SELECT name FROM customers WHERE id = 1;
UPDATE customers SET name = name WHERE id = 2;
COMMIT;
SELECT 1;
\\endpipeline
`

/** Every dump has a key of its own, for psql's \\restrict. */
function withoutKey<Result extends { readonly out: string }>(ran: Result): Result {
  return { ...ran, out: ran.out.replaceAll(/^\\(un)?restrict \S+$/gm, '\\$1restrict') }
}

async function sleeps({ direct }: Matrix): Promise<void> {
  const client = new pg.Client({ ...direct })
  await client.connect()
  const sleeping = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'`
  while ((await client.query(sleeping)).rowCount === 0);
  await client.end()
}
