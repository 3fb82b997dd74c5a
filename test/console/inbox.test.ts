import { expect, test } from 'vitest'
import { decided, later, merge, pending } from '../../src/console/ui/state/inbox.ts'
import { voteOf } from '../../src/console/ui/state/vote.ts'
import { approval, vote, votedOn } from './approvals.ts'

const at = (minute: number) => `2026-11-21T12:${String(minute).padStart(2, '0')}:00.000Z`

test('what expires first is first', () => {
  const all = merge(new Map(), [
    approval({ id: 'late', expires_at: at(30) }),
    approval({ id: 'soon', expires_at: at(10) }),
    approval({ id: 'over', state: 'expired', expires_at: at(1) }),
  ])
  expect(pending(all).map(({ id }) => id)).toEqual(['soon', 'late'])
})

test('the latest decision is first, and only so many are kept in view', () => {
  const all = merge(new Map(), [
    approval({ id: 'first', state: 'denied', resolved_at: at(1) }),
    approval({ id: 'third', state: 'succeeded', resolved_at: at(3) }),
    approval({ id: 'second', state: 'expired', resolved_at: at(2) }),
  ])
  expect(decided(all, 2).map(({ id }) => id)).toEqual(['third', 'second'])
})

test('a list that was overtaken by the stream does not bring back what was decided meanwhile', () => {
  const now = approval({ state: 'denied', resolved_at: at(5) })
  const before = approval()
  expect(later(now, before)).toBe(now)
  expect(merge(merge(new Map(), [now]), [before]).get(now.id)).toBe(now)
})

test('nor does it take away a vote', () => {
  const voted = votedOn(approval(), [vote()])
  expect(later(voted, approval())).toBe(voted)
  expect(later(approval(), voted)).toBe(voted)
})

test('an unknown outcome can still become known', () => {
  const unknown = approval({ state: 'unknown' })
  const known = approval({ state: 'succeeded' })
  expect(later(unknown, known)).toBe(known)
  expect(later(known, unknown)).toBe(known)
})

test('my own vote is found by issuer and subject, never by name', () => {
  const it = votedOn(approval(), [vote()])
  const { issuer } = vote()
  const me = {
    person: { issuer, subject: 'dana', name: '', email: null, groups: [] },
    roles: [],
    csrf_token: '',
    session: null,
  }
  expect(voteOf(me, it)?.decision).toBe('approve')
  const namesake = { ...me.person, subject: 'dana2', name: 'Dana Okafor' }
  expect(voteOf({ ...me, person: namesake }, it)).toBeUndefined()
  const elsewhere = { ...me.person, issuer: 'https://other.example.com' }
  expect(voteOf({ ...me, person: elsewhere }, it)).toBeUndefined()
})
