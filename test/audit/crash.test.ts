import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { openAuditLog } from '../../src/audit/append.ts'
import { verifyStore } from '../../src/audit/verify.ts'
import type { Store } from '../../src/store/db.ts'
import { deadEpochs, openLease } from '../../src/store/lease.ts'
import { openEmbedded } from '../../src/store/pglite.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anIntent, startReplica, until } from '../support/audit.ts'
import { PostgresServer } from '../support/postgres.ts'
import { atEnd, createDataFolder, createTestDatabase, storeKinds } from '../support/store.ts'

const silent = createLog('fatal')

async function actionsOnRecord(store: Store): Promise<Set<string>> {
  const rows = await store.query<{ action: string }>(
    "SELECT action FROM sallyport.audit_log WHERE type = 'action.decided' AND hash IS NOT NULL",
  )
  return new Set(rows.map(({ action }) => action))
}

/** Runs the program that appends forever, and kills it when it has said so many times that something is on record. */
async function appendAndDie(target: string, acknowledgements: number): Promise<string[]> {
  const program = fileURLToPath(new URL('./programs/append-forever.ts', import.meta.url))
  const appender = spawn(process.execPath, [program, target], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(appender, 'exit')
  const acknowledged: string[] = []
  for await (const id of createInterface(appender.stdout)) {
    if (acknowledged.push(id) === acknowledgements) appender.kill('SIGKILL')
  }
  await exit
  return acknowledged
}

describe.each(storeKinds)('a gateway that is killed, on the %s store', (kind) => {
  test('has on record whatever it had acknowledged, and its intents end as unknown', async () => {
    const target = await (kind === 'postgres' ? createTestDatabase() : createDataFolder())
    const acknowledged = await appendAndDie(target, 300)

    const store = await (kind === 'postgres' ? openPostgres(target) : openEmbedded(target))
    atEnd(() => store.end())
    const recorded = await actionsOnRecord(store)
    expect(acknowledged.filter((id) => !recorded.has(id))).toEqual([])

    // One, unless a busy machine has let the lease run out before.
    const epochs = await store.query('SELECT FROM sallyport.replicas')
    const { audit } = await startReplica(store)
    const times = { leaseMs: 2_000, marginMs: 200 }
    await until(async () => (await deadEpochs(store, times)).length === epochs.length)
    const lost: string[] = []
    for (const dead of await deadEpochs(store, times)) lost.push(...(await audit.bury(dead)))
    expect(new Set(lost)).toEqual(recorded)
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })
})

describe.runIf(storeKinds.includes('postgres'))('a PostgreSQL that is stopped immediately', () => {
  let server: PostgresServer
  let store: Store

  beforeAll(async () => {
    server = await PostgresServer.start()
    atEnd(() => server.remove())
    store = await openPostgres(await server.createDatabase('stopped'))
    atEnd(() => store.end())
  })

  test('has whatever was acknowledged when it is back, and appends go on by themselves', async () => {
    const { audit } = await startReplica(store)
    const acknowledged: string[] = []
    const enough = new AbortController()
    const appending = Array.from({ length: 16 }, async () => {
      while (!enough.signal.aborted) {
        const intent = anIntent()
        await audit.append(intent).then(
          () => acknowledged.push(intent.action!.id),
          (error: unknown) => expect(error).toMatchObject({ code: 'store-unavailable' }),
        )
      }
    })
    for (let round = 1; round <= 2; round++) {
      await until(async () => acknowledged.length >= round * 100)
      await server.stop()
      await server.start()
    }
    await until(async () => acknowledged.length >= 500)
    enough.abort()
    await Promise.all(appending)

    const recorded = await actionsOnRecord(store)
    expect(acknowledged.filter((id) => !recorded.has(id))).toEqual([])
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })

  test('makes appends fail within their patience while it is away, and nobody has to mend anything afterwards', async () => {
    const lease = await openLease(store)
    const audit = await openAuditLog({ store, lease, log: silent, patienceMs: 300 })
    await server.stop()
    const refused = Array.from({ length: 50 }, () => audit.append(anIntent()))
    for (const append of refused) {
      await expect(append).rejects.toMatchObject({ code: 'store-unavailable' })
    }
    await expect(store.query('SELECT 1')).rejects.toMatchObject({ ambiguous: true })
    await server.start()
    await until(async () =>
      audit.append(anIntent()).then(
        () => true,
        () => false,
      ),
    )
    await audit.close()
    await lease.close()
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })
})
