import { describe, expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { problemIn, refund, verifiedLog, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway } from '../support/gateway-process.ts'
import { PostgresServer } from '../support/postgres.ts'
import { atEnd, storeKinds } from '../support/store.ts'

const soon = { timeout: 60_000, interval: 100 }

describe.runIf(storeKinds.includes('postgres'))('a standby that is promoted', () => {
  test('ends what was asked for before, while the gateway runs on, and asks anew', async () => {
    const upstream = await startCountingUpstream()
    atEnd(() => upstream.close())
    const server = await PostgresServer.start()
    atEnd(() => server.remove())
    const databaseUrl = await server.createDatabase('gateway')
    const { folder, start } = await configureGateway({
      upstream: upstream.url,
      policies,
      databaseUrl,
    })
    const gateway = await start({ asInstalled: true })
    const ask = async (request: RequestInit) =>
      (await problemIn(gateway.agent('/crm/v1/refunds', waiting(request, 0)), 'approval-pending'))
        .task.id

    const [open, used] = [refund(), refund()]
    const pending = await ask(open)
    const approved = await ask(used)
    await gateway.vote('dana', await gateway.approval(approved))

    await server.promoteAnew()
    for (const id of [pending, approved]) {
      await expect
        .poll(() => gateway.approval(id).catch(() => null), soon)
        .toMatchObject({ state: 'invalidated' })
    }
    expect(await ask(used)).not.toBe(approved)
    expect(upstream.arrived).toEqual([])
    await verifiedLog(gateway, folder)
  })
})
