import { describe, expect, it, vi } from 'vitest'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway } from '../support/gateway-process.ts'
import { atEnd } from '../support/store.ts'
import { policies } from './policies.ts'
import { refund, verifiedLog } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }

describe('a gateway that only observes, and is killed with SIGKILL', () => {
  it('leaves `unknown` of what it let through, whatever it would have decided', async () => {
    const upstream = await startCountingUpstream()
    atEnd(() => upstream.close())
    upstream.answer = () => undefined
    const configured = await configureGateway({
      upstream: upstream.url,
      policies,
      config: 'mode: observe',
    })
    let gateway = await configured.start()
    const lost = [
      gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }),
      gateway.agent('/crm/v1/refunds', refund()),
    ].map((request) => expect(request).rejects.toThrow())
    await vi.waitFor(() => expect(upstream.arrived).toHaveLength(2), soon)
    gateway.signal('SIGKILL')
    await gateway.ended
    await Promise.all(lost)

    gateway = await configured.start()
    const outcomes = async () => {
      const log = await verifiedLog(gateway, configured.folder)
      return log
        .filter(({ enforced }) => enforced === false)
        .map(({ action, decision }) => {
          const end = log.find(
            ({ type, action: of }) => type === 'action.completed' && of?.id === action!.id,
          )
          return `${String(decision)}: ${end?.outcome?.result}`
        })
        .toSorted()
    }
    await expect.poll(outcomes, soon).toEqual(['deny: unknown', 'hold: unknown'])
    expect(upstream.arrived).toHaveLength(2)
  })
})
