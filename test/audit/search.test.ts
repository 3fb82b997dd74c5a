import { beforeAll, describe, expect, test } from 'vitest'
import { searchEvents, type EventFilter } from '../../src/audit/search.ts'
import type { Store } from '../../src/store/db.ts'
import { agent, anIntent, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

describe.each(storeKinds)('searching the log of the %s store', (kind) => {
  let store: Store
  const approval = crypto.randomUUID()
  const intents = Array.from({ length: 25 }, (_, i) =>
    anIntent({
      resource: i % 5 === 0 ? 'orders-db' : 'crm',
      subject: i % 2 === 0 ? agent : { ...agent, subject: 'agent-8' },
      attributes: {
        http: { method: 'GET', path: `/v1/customers/${i}`, note: 'Zoë "the" 50% off_' },
      },
      ...(i === 11 && { approval }),
      ...(i === 7 && { decision: 'deny', reason: 'no-rule-matched' }),
      ...(i === 9 && { decision: 'hold', reason: 'rule-held', enforced: false }),
    }),
  )

  beforeAll(async () => {
    store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    for (const intent of intents) await audit.append(intent)
    await audit.append({ type: 'policy.loaded', policy: 'b'.repeat(64) })
  })

  const found = async (filter: EventFilter) =>
    (await searchEvents(store, filter)).events.map(({ action }) =>
      intents.findIndex(
        (intent) => intent.action!.id === (action as { id?: string } | undefined)?.id,
      ),
    )

  test('finds everything, the newest first', async () => {
    const { events, cursor } = await searchEvents(store, {})
    expect(events).toHaveLength(26)
    expect(events[0]).toMatchObject({ type: 'policy.loaded', seq: { n: 26 } })
    expect(cursor).toBeNull()
  })

  test.each<[EventFilter, number[]]>([
    [{ resource: 'orders-db' }, [20, 15, 10, 5, 0]],
    [{ subject: 'agent-8', resource: 'orders-db' }, [15, 5]],
    [{ decision: 'deny' }, [7]],
    [{ enforced: false }, [9]],
    [{ enforced: true }, [7]],
    [{ reason: 'no-rule-matched' }, [7]],
    [{ type: 'policy.loaded' }, [-1]],
    [{ approval }, [11]],
    [{ action: intents[3]!.action!.id }, [3]],
    [{ q: '/V1/Customers/12' }, [12]],
    [{ q: 'customers/1 agent-7' }, [18, 16, 14, 12, 10]],
    [{ q: '"the" zoë', resource: 'orders-db', subject: 'agent-8' }, [15, 5]],
    [{ q: 'agent-8', decision: 'deny' }, [7]],
    [{ subject: "' OR true --" }, []],
    [{ q: '%', decision: 'deny' }, [7]],
    [{ q: 'off_x' }, []],
    [{ from: new Date(0), to: new Date(1) }, []],
  ])('by %j finds %j', async (filter, expected) => {
    expect(await found(filter)).toEqual(expected)
  })

  test('finds actions by name', async () => {
    expect(await found({ action: 'http.request', resource: 'orders-db' })).toHaveLength(5)
    expect(await found({ action: 'sql.statement' })).toEqual([])
  })

  test('gives page after page, each event once', async () => {
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof searchEvents>> = await searchEvents(
        store,
        {},
        cursor,
        7,
      )
      ids.push(...page.events.map(({ id }) => id))
      cursor = page.cursor
    } while (cursor)
    expect(ids).toHaveLength(26)
    expect(new Set(ids).size).toBe(26)
  })

  test.each(['nonsense', Buffer.from('2026-01-01T00:00:00Z x').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      await expect(searchEvents(store, {}, cursor)).rejects.toMatchObject({ code: 'bad-request' })
    },
  )

  test('refuses what no event can have', async () => {
    const impossible = searchEvents(store, { subject: '\0' })
    await expect(impossible).rejects.toMatchObject({ code: 'bad-request' })
    expect(await found({ q: '\0' })).toEqual([])
  })
})
