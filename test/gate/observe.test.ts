import { expect, it } from 'vitest'
import { Gate } from '../../src/gate/gate.ts'
import { attemptAt, openTestGate } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'
import { refundsNeed } from './policies.ts'

it('runs nothing on a resource that is only observed when that cannot be put on record', async () => {
  const ctx = await openTestGate(await openTestStore(), refundsNeed(1))
  const gate = new Gate({ ...ctx, observed: new Set(['crm']) })
  const permit = await gate.enforce(attemptAt('a refund'))
  await permit.complete({ result: 'succeeded', status: 201 })

  await ctx.audit.close()
  await expect(gate.enforce(attemptAt('another'))).rejects.toMatchObject({
    code: 'store-unavailable',
  })
})
