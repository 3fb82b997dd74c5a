import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { problemIn, refund, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

test('with its secrets lost, a gateway asks again for what had been approved, and runs nothing by it', async () => {
  const upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
  const gateway = await startTestGateway({ upstream: upstream.url, policies })
  atEnd(() => gateway.close())

  const request = waiting(refund(), 0)
  const ask = async () =>
    (await problemIn(gateway.agent('/crm/v1/refunds', request), 'approval-pending')).task.id
  const approved = await ask()
  expect((await gateway.vote('dana', await gateway.approval(approved))).status).toBe(200)

  rmSync(join(gateway.folder, 'secrets.json'))
  await gateway.restart()
  expect(await ask()).not.toBe(approved)
  expect(upstream.arrived).toEqual([])
})
