import { describe, expect, test } from 'vitest'
import { loginError } from '../../src/console/ui/state/login-error.ts'
import { approvalHref, parseRoute } from '../../src/console/ui/state/route.ts'
import { neighbour } from '../../src/console/ui/state/keys.ts'
import { count } from '../../src/console/ui/text/count.ts'
import { excerpt } from '../../src/console/ui/text/excerpt.ts'
import { ago, clockSkew, countdown, fullTime, logTime } from '../../src/console/ui/text/time.ts'
import { failures, outcomeInWords, reasonInWords } from '../../src/console/ui/text/words.ts'

test.each([
  [15 * 60_000, '15:00'],
  [61_001, '1:02'],
  [59_000, '0:59'],
  [1, '0:01'],
  [0, '0:00'],
  [-5_000, '0:00'],
  [3_600_000, '1:00:00'],
  [2 * 86_400_000 + 4 * 3_600_000, '2 d 4 h'],
])('%i ms left are %s', (left, shown) => {
  expect(countdown(left)).toBe(shown)
})

test.each([
  [0, 'just now'],
  [50_000, '1 min ago'],
  [3 * 60_000, '3 min ago'],
  [2 * 3_600_000, '2 h ago'],
  [3 * 86_400_000, '3 d ago'],
])('%i ms past are %s', (past, shown) => {
  expect(ago(past)).toBe(shown)
})

describe('whoever reads in March what happened in November', () => {
  // At noon, so that it is the same day wherever this runs.
  const at = '2026-11-22T12:00:00.000Z'

  test('finds the year beside the day, and only then', () => {
    expect(logTime(at, Date.parse('2026-12-24T12:00:00.000Z'))).toMatch(/^Nov 22, \d\d:00:00$/)
    expect(logTime(at, Date.parse('2027-03-02T12:00:00.000Z'))).toMatch(
      /^Nov 22, 2026, \d\d:00:00$/,
    )
  })
  test('finds the time zone where times are compared', () => {
    expect(fullTime(at)).toMatch(/^Nov 22, 2026, \d\d:00:00 \S+$/)
  })
})

describe('the countdown goes by the gateway’s clock', () => {
  const date = 'Sat, 21 Nov 2026 12:00:00 GMT'
  const then = Date.parse(date)

  test('a machine that is five minutes behind is corrected', () => {
    expect(clockSkew(date, then - 300_000)).toBe(300_500)
  })
  test('a second is within what the header can say', () => {
    expect(clockSkew(date, then + 900)).toBe(0)
  })
  test('without the header its own clock has to do', () => {
    expect(clockSkew(null, then)).toBe(0)
    expect(clockSkew('yesterday', then)).toBe(0)
  })
})

test('what is cut says by how much, and is never cut inside a character', () => {
  expect(excerpt('short', 5)).toEqual({ text: 'short', more: 0 })
  expect(excerpt('🙂🙂🙂', 2)).toEqual({ text: '🙂🙂', more: 1 })
})

test('counts are exact', () => {
  expect(count(1, 'byte')).toBe('1 byte')
  expect(count(1_048_576, 'byte')).toBe('1,048,576 bytes')
})

test('an outcome says what is known of it', () => {
  expect(outcomeInWords({ result: 'succeeded', status: 204, bytes: 0, duration_ms: 34.6 })).toBe(
    'HTTP 204 · 0 bytes · 35 ms',
  )
  expect(outcomeInWords({ result: 'failed', error: 'upstream-timeout' })).toBe('upstream-timeout')
  expect(outcomeInWords({ result: 'unknown' })).toBe('')
})

test('a reason code of ours is explained, and a rule’s own speaks for itself', () => {
  expect(reasonInWords('rule-held')).toContain('people have to approve')
  expect(reasonInWords('PII_EXPORT')).toBeNull()
  expect(reasonInWords('toString')).toBeNull()
})

test('whatever a vote can be refused for has plain words', () => {
  const codes = ['self-approval', 'not-eligible', 'already-resolved', 'view-changed'] as const
  for (const code of codes) expect(failures[code]!.advice).not.toBe('')
})

test('a refused login says why, and only in words of ours', () => {
  expect(loginError('')).toBeNull()
  expect(loginError('?login_error=login-denied')).toBe('The identity provider did not let you in.')
  expect(loginError('?login_error=Call+0900-123456')).toBe('The login did not work. Try again.')
  expect(loginError('?login_error=constructor')).toBe('The login did not work. Try again.')
})

test('an address leads to its page, and any other to the inbox', () => {
  const id = '0199f000-0000-7000-8000-000000000001'
  expect(parseRoute(approvalHref(id))).toEqual({ page: 'approval', id })
  for (const hash of ['', '#/', '#/approvals/', '#/approvals/../me', '#/elsewhere']) {
    expect(parseRoute(hash).page).toBe('inbox')
  }
})

test('j and k go through a list, and stay at its ends', () => {
  expect(neighbour('j', -1, 3)).toBe(0)
  expect(neighbour('j', 0, 3)).toBe(1)
  expect(neighbour('j', 2, 3)).toBe(2)
  expect(neighbour('k', 0, 3)).toBe(0)
})
