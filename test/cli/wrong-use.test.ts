import { expect, test } from 'vitest'
import { sallyport } from '../support/terminal.ts'

const noToken = { SALLYPORT_TOKEN: 'sp_none' }

test.each([
  [
    'an address without a scheme',
    ['approvals', 'list'],
    { ...noToken, SALLYPORT_URL: 'gateway:8081' },
    'SALLYPORT_URL is no address: gateway:8081\n    → Write the address of the console, as in https://sallyport.example.com.',
  ],
  [
    'the same at a login',
    ['login', 'gateway:8081'],
    {},
    'gateway:8081 is no address.\n    → Name the address of the console: sallyport login https://sallyport.example.com',
  ],
  [
    'an age, where an export takes a checkpoint',
    ['audit', 'export', '--since', '24h'],
    {},
    '--since goes into the manifest, so it needs --out.\n    → Add --out, with a file. For events from a time on, use --from.',
  ],
  [
    'the same, with a file',
    ['audit', 'export', '--since', '24h', '--out', 'day.ndjson'],
    {},
    '/nonexistent/24h cannot be read (ENOENT).\n    → Name a checkpoint that you kept. For events from a time on, use --from.',
  ],
])('%s: what is wrong, and what to do', async (_, argv, environment, says) => {
  expect(await sallyport(argv, { environment })).toEqual({ code: 2, out: '', notes: says })
})

test('where no console answers: where that is, and what to look at', async () => {
  const environment = { ...noToken, SALLYPORT_URL: 'http://127.0.0.1:9' }
  const { code, notes } = await sallyport(['approvals', 'list'], { environment })
  expect(code).toBe(1)
  expect(notes).toMatch(
    /^The control plane at http:\/\/127\.0\.0\.1:9 cannot be reached \(.+\)\.\n {4}→ Is that where its console is, and is it running\?/,
  )
})
