import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openCheckpoint } from '../../src/audit/log/checkpoint.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'

it('keeps the signed log of a run in a file beside it, down to its last event', async () => {
  const upstream = await startCountingUpstream()
  const config = 'audit: { anchor: [{ file: checkpoints.txt, every: 1h }] }'
  const gateway = await startTestGateway({ upstream: upstream.url, policies, config })
  let kept = ''
  try {
    await gateway.agent('/crm/v1/customers')
    const whole = await gateway.auditLog()
    await gateway.restart(() => {
      kept = readFileSync(join(gateway.folder, 'checkpoints.txt'), 'utf8')
    })
    const answer = await gateway.person('dana', '/api/audit/keys')
    const { keys } = (await answer.json()) as { keys: string[] }
    // The last one is of the moment when the gateway stopped. It is as long as docs/audit.md says.
    const last = kept.split('\n').slice(-7).join('\n')
    expect(openCheckpoint(last, keys)!.size).toBeGreaterThan(whole.length)
  } finally {
    await gateway.close()
    await upstream.close()
  }
})
