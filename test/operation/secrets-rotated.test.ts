import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rotateSecrets } from '../../src/config/secrets.ts'
import { policies } from '../e2e/policies.ts'
import { refund, problemIn, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

it('secrets that are rotated break nothing that is open, and are on record once', async () => {
  const upstream = await startCountingUpstream()
  const gateway = await startTestGateway({ upstream: upstream.url, policies })
  atEnd(async () => {
    await gateway.close()
    await upstream.close()
  })
  const request = refund()
  const { task } = await problemIn(
    gateway.agent('/crm/v1/refunds', waiting(request, 0)),
    'approval-pending',
  )
  await gateway.restart(() => rotateSecrets(join(gateway.folder, 'secrets.json')))
  await gateway.restart()

  expect((await gateway.vote('dana', await gateway.approval(task.id))).status).toBe(200)
  expect((await gateway.agent('/crm/v1/refunds', waiting(request, 0))).status).toBe(201)
  const rotated = (await gateway.auditLog()).filter((line) => line.includes('"secrets.rotated"'))
  expect(rotated).toHaveLength(1)
})
