import { expect, test } from 'vitest'
import { sallyport } from '../support/terminal.ts'

test('sallyport --help names the commands', async () => {
  const { code, out } = await sallyport(['--help'])
  expect(code).toBe(0)
  for (const command of ['login', 'approvals', 'audit', 'keys']) expect(out).toContain(command)
})

test('sallyport --version', async () => {
  expect(await sallyport(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n' })
})

test('a command that there is not: exit code 2, and what was meant', async () => {
  const { code, notes } = await sallyport(['aprovals'])
  expect(code).toBe(2)
  expect(notes).toContain('Did you mean approvals?')
})

test.each([
  [['approvals', 'show']],
  [['approvals', 'deny', 'some-id']],
  [['approvals', 'list', '--state', 'maybe']],
  [['keys', 'create', 'bot', '--kind', 'human']],
  [['audit', 'search', '--limit', 'many']],
  [['login']],
  [['approvals']],
])('sallyport %j: exit code 2', async (argv) => {
  expect((await sallyport(argv)).code).toBe(2)
})

test('not logged in: exit code 2, and how to', async () => {
  const { code, notes } = await sallyport(['approvals', 'list'], {
    environment: { XDG_CONFIG_HOME: '/nonexistent' },
  })
  expect(code).toBe(2)
  expect(notes).toContain('You are not logged in.\n    → Run `sallyport login URL`')
})
