import { describe, expect, test } from 'vitest'
import type { Me } from '../../../src/console/ui/api/types.ts'
import { merge } from '../../../src/console/ui/state/inbox.ts'
import { filtered, inboxFilter } from '../../../src/console/ui/state/inbox-filter.ts'
import { menuFor } from '../../../src/console/ui/state/menu.ts'
import { isMine } from '../../../src/console/ui/state/mine.ts'
import { parseRoute, pageHref, storyHref } from '../../../src/console/ui/state/route.ts'
import { similarTo } from '../../../src/console/ui/state/similar.ts'
import { approval, vote, votedOn } from '../approvals.ts'

const issuer = 'https://idp.example.com'

const me = (subject: string, groups: readonly string[]): Me => ({
  person: { issuer, subject, name: subject, email: null, groups },
  roles: ['approver'],
  csrf_token: '',
  session: null,
})

const dana = me('dana', ['approvers'])

describe('what is mine to decide', () => {
  test('what a rule asks my group for', () => {
    expect(isMine(dana, approval())).toBe(true)
    expect(isMine(me('omar', ['finance']), approval())).toBe(false)
  })
  test('or me by name', () => {
    const named = approval({
      requirements: [
        { rule: 'r', from: { people: [{ issuer, subject: 'omar' }] }, quorum: 1, votes: [] },
      ],
    })
    expect(isMine(me('omar', []), named)).toBe(true)
    expect(isMine(dana, named)).toBe(false)
  })
  test('not what my agent asks for, nor what I am part of', () => {
    expect(isMine(me('priya', ['approvers']), approval())).toBe(false)
    const { action } = approval()
    const owned = { ...action, subject: { ...action.subject, owner: { group: 'approvers' } } }
    expect(isMine(dana, approval({ action: owned }))).toBe(false)
    const acting = {
      ...action,
      subject: { ...action.subject, chain: [{ issuer, subject: 'dana' }] },
    }
    expect(isMine(dana, approval({ action: acting }))).toBe(false)
  })
  test('not what I voted on, nor what is over', () => {
    expect(isMine(dana, votedOn(approval(), [vote()]))).toBe(false)
    expect(isMine(dana, approval({ state: 'denied' }))).toBe(false)
  })
})

describe('the inbox, narrowed by its address', () => {
  const all = [
    approval({ id: 'a', risk: 'low' }),
    approval({ id: 'b', agent_reason: 'Ticket 1042: money back', state: 'denied' }),
    approval({ id: 'c', action: { ...approval().action, resource: 'orders-db' } }),
  ]
  test.each<[string, string[]]>([
    ['', ['a', 'b', 'c']],
    ['risk=low', ['a']],
    ['resource=orders-db', ['c']],
    ['state=denied', ['b']],
    ['q=TICKET money', ['b']],
    ['q=priya', ['a', 'b', 'c']],
    ['q=nowhere', []],
    ['mine=yes', ['a', 'c']],
    ['mine=yes&risk=high', ['c']],
  ])('%j shows %j', (query, ids) => {
    const found = filtered(all, inboxFilter(new URLSearchParams(query)), dana)
    expect(found.map(({ id }) => id)).toEqual(ids)
  })
})

test('similar is what the same chain asked of the same resource: the identical first', () => {
  const { action } = approval()
  const other = { ...action, digest: '00'.repeat(32) }
  const it = approval({ id: 'it' })
  const all = merge(new Map(), [
    it,
    approval({ id: 'same', created_at: '2026-11-20T12:00:00.000Z' }),
    approval({ id: 'alike', action: other }),
    approval({ id: 'elsewhere', action: { ...action, resource: 'orders-db' } }),
    approval({
      id: 'delegated',
      action: { ...action, subject: { ...action.subject, chain: [{ issuer, subject: 'x' }] } },
    }),
  ])
  expect(similarTo(it, all).map(({ id }) => id)).toEqual(['same', 'alike'])
})

test('addresses say what a page is about, and lead back to it', () => {
  const about = { subject: 'a&b=c #d', q: '', since: '24h' }
  const route = parseRoute(pageHref('activity', about))
  expect(route).toMatchObject({ page: 'activity' })
  expect('query' in route && Object.fromEntries(route.query)).toEqual({
    subject: 'a&b=c #d',
    since: '24h',
  })
  expect(parseRoute(storyHref('action', 'x-1'))).toEqual({ page: 'story', of: 'action', id: 'x-1' })
  expect(parseRoute(storyHref('approval', 'x'))).toMatchObject({ of: 'approval' })
  expect(parseRoute('#/link/abc_-9')).toEqual({ page: 'link', id: 'abc_-9' })
  expect(parseRoute('#/keys')).toMatchObject({ page: 'keys' })
})

test('the menu has what these roles get an answer from', () => {
  const names = (roles: Me['roles']) => menuFor(roles).map(({ page }) => page)
  expect(names([])).toEqual(['inbox', 'settings'])
  expect(names(['approver'])).toEqual(['inbox', 'policies', 'settings'])
  expect(names(['auditor'])).toEqual([
    'inbox',
    'activity',
    'usage',
    'evidence',
    'policies',
    'settings',
  ])
  expect(names(['admin'])).toEqual(['inbox', 'policies', 'keys', 'settings'])
})
