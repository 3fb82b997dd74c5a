import { expect, test } from 'vitest'
import { createLog } from '../../src/telemetry/log.ts'

test('class 25, log injection: whatever an agent writes, a line is one line of JSON, and no terminal obeys it', () => {
  let written = ''
  const log = createLog('info', { write: (line) => void (written += line) })
  const hostile = 'a\r\n{"level":"error"}\u001b[2J\u009b31m\u007f\u0085\u2028\u202e\u2066\0"\\'
  log.warn({ path: hostile, err: new Error(hostile) }, hostile)
  log.child({ child: hostile }).info('x')
  expect(written).toMatch(/^[\x20-\x7e]*\n[\x20-\x7e]*\n$/)
  const [line, child] = written.trimEnd().split('\n')
  expect(JSON.parse(line!)).toMatchObject({
    path: hostile,
    msg: hostile,
    err: { message: hostile },
  })
  expect(JSON.parse(child!)).toMatchObject({ child: hostile })
})
