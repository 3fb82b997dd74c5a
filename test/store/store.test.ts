import { describe, expect, test } from 'vitest'
import { openTestStore, storeKinds } from '../support/store.ts'

describe.each(storeKinds)('the %s store', async (kind) => {
  test('answers', async () => {
    const store = await openTestStore(kind)
    expect(await store.query('SELECT 1 AS one, current_user AS me')).toEqual([
      { one: 1, me: 'sallyport_gateway' },
    ])
  })
})
