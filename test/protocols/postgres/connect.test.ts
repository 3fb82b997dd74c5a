import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sallyport } from '../../support/terminal.ts'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - { name: support-reads, who: { group: support-leads }, on: orders, what: { sql: { verb: select } }, then: allow }
`

describe.skipIf(!hasPostgres)('sallyport connect', () => {
  let place: DatabaseGateway
  beforeAll(async () => {
    place = await startDatabase({ policies })
  })
  afterAll(() => place.close())

  const asDana = async (more: Record<string, string> = {}) => ({
    PATH: process.env['PATH']!,
    SALLYPORT_URL: place.gateway.controlUrl,
    SALLYPORT_TOKEN: await place.gateway.personToken('dana'),
    ...more,
  })
  const connect = async (argv: string[], more?: Record<string, string>) =>
    sallyport(['connect', ...argv], { environment: await asDana(more) })

  test('says what is there, and where', async () => {
    const { code, out } = await connect([])
    expect(code).toBe(0)
    expect(out).toMatch(/crm +http +http:\/\/127\.0\.0\.1:\d+\/crm\n/)
    expect(out).toContain(`postgres://127.0.0.1:${place.port}/${place.database}\n`)
  })

  test('runs psql as the person who has logged in', async () => {
    const count = await connect(['orders', '--', 'psql', '-Atc', 'SELECT count(*) FROM orders'])
    expect(count).toMatchObject({ code: 0, out: '200\n' })

    // Options alone are psql's.
    const denied = await connect(['orders', '--', '-c', 'DELETE FROM orders'])
    expect(denied.code).toBe(1)
    expect(denied.notes).toContain('denied by policy')

    const decided = (await place.gateway.auditLog()).map((line) => JSON.parse(line))
    expect(decided).toContainEqual(
      expect.objectContaining({
        decision: 'deny',
        subject: expect.objectContaining({ subject: 'dana' }),
      }),
    )
  })

  test('runs another program, and ends with its exit code', async () => {
    const table = await connect(['orders', '--', 'sh', '-c', 'echo $PGUSER $PGDATABASE; exit 7'])
    expect(table).toMatchObject({ code: 7, out: `dana@example.com ${place.database}\n` })
  })

  test('goes in over TLS or nothing, whatever encryption other servers want', async () => {
    const argv = ['orders', '--', 'psql', '-Atc', 'SELECT count(*) FROM orders']
    const count = await connect(argv, { PGGSSENCMODE: 'require' })
    expect(count).toMatchObject({ code: 0, out: '200\n' })
  })

  test('takes the token nowhere else, whatever the environment says', async () => {
    const elsewhere = { PGHOST: 'evil.example', PGHOSTADDR: '203.0.113.9', PGSERVICE: 'evil' }
    const { out } = await connect(['orders', '--', 'sh', '-c', 'env | grep ^PG | sort'], elsewhere)
    expect(out).toContain('PGHOST=127.0.0.1\n')
    expect(out).not.toMatch(/evil|203\.0\.113\.9/)
  })

  test('says what is wrong, and what to do', async () => {
    expect(await connect(['payments'])).toMatchObject({
      code: 1,
      notes: 'There is no resource payments. Databases: orders.',
    })
    expect((await connect(['crm'])).notes).toContain('crm is no database.')
    expect(await connect(['orders', '-d', 'postgres'])).toMatchObject({
      code: 2,
      notes: `orders has no database postgres.\n    → Choose one of these: ${place.database}.`,
    })
  })

  test('the program has the terminal for itself: Ctrl-C is for psql, which cancels and goes on', async () => {
    const bin = new URL('../../../bin/sallyport.js', import.meta.url).pathname
    // As from a terminal: the whole process group is told.
    const script = `${process.execPath} ${bin} connect orders -- sh -c 'trap "echo cancelled" INT; kill -INT 0; sleep 0.7; kill -INT 0; echo goes on; exit 3'`
    const failure = await promisify(execFile)(
      'setsid',
      ['-w', 'sh', '-c', `trap : INT; ${script}`],
      {
        env: await asDana(),
      },
    ).catch((error: { code: number; stdout: string }) => error)
    expect(failure).toMatchObject({ code: 3, stdout: 'cancelled\ncancelled\ngoes on\n' })
  })
})
