import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { newKey, keyHash } from '../../src/identity/key-format.ts'
import { createKeyLookup } from '../../src/identity/key-lookup.ts'
import type { Store } from '../../src/store/db.ts'
import { openTestStore } from '../support/store.ts'

/** What strangers with made-up keys can do to the database, and to everybody else: next to nothing. */

let store: Store
let questions = 0
let atOnce = 0
let most = 0

/** The real store, with a look at what is asked of it. */
function watched(): Store {
  return {
    kind: store.kind,
    tx: (work) => store.tx(work),
    listen: (channel, onNotify) => store.listen(channel, onNotify),
    notify: (channel, payload) => store.notify(channel, payload),
    end: () => store.end(),
    exchange: (statements) => store.exchange(statements),
    async query<Row>(sql: string, params?: readonly unknown[]) {
      questions += 1
      most = Math.max(most, (atOnce += 1))
      try {
        return await store.query<Row>(sql, params)
      } finally {
        atOnce -= 1
      }
    },
  }
}

beforeAll(async () => {
  store = await openTestStore()
})

const reasonFor = async (find: () => unknown): Promise<string> => {
  try {
    await find()
    return 'found'
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

describe('keys that nobody made', () => {
  test('are looked up four at a time, however many come', async () => {
    const keys = await createKeyLookup(watched())
    questions = most = 0
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => reasonFor(() => keys.find(newKey()))),
    )
    expect(new Set(answers)).toEqual(new Set(['key-unknown']))
    expect({ questions, most }).toEqual({ questions: 100, most: 4 })
    await keys.close()
  })

  test('are looked up once for all who show the same one, and not again right after', async () => {
    // No time goes by, however busy this machine is.
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const keys = await createKeyLookup(watched())
    questions = 0
    const key = newKey()
    await Promise.all(Array.from({ length: 50 }, () => reasonFor(() => keys.find(key))))
    expect(await reasonFor(() => keys.find(key))).toBe('key-unknown')
    expect(questions).toBe(1)
    await keys.close()
  })

  test('work as soon as somebody made them: having tried them before locks nobody out', async () => {
    const keys = await createKeyLookup(watched())
    const key = newKey()
    expect(await reasonFor(() => keys.find(key))).toBe('key-unknown')
    await store.query(
      `INSERT INTO sallyport.agent_keys (id, hash, name, kind, groups, scopes, owner_group, created_by_issuer, created_by_subject)
       VALUES ($1, $2, 'fresh', 'agent', '{}', '{}', 'owners', 'https://idp.example.com', 'dana')`,
      [crypto.randomUUID(), keyHash(key)],
    )
    await expect.poll(() => reasonFor(() => keys.find(key))).toBe('found')
    await keys.close()
  })
})
