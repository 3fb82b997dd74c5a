import { beforeAll, describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/errors.ts'
import { StoreError, type Store } from '../../src/store/db.ts'
import { tellOutages } from '../../src/store/outage.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { createLog, type Log } from '../../src/telemetry/log.ts'
import { CuttingRoad } from '../support/cutting-road.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'

const soon = { timeout: 30_000, interval: 200 }

describe.runIf(storeKinds.includes('postgres'))('the log, while the store fails', () => {
  const lines: Record<string, unknown>[] = []
  const said = () => lines.map(({ msg }) => msg)
  let road: CuttingRoad
  let log: Log
  let store: Store

  beforeAll(async () => {
    road = await CuttingRoad.to(await createTestDatabase())
    log = createLog('info', { write: (line) => void lines.push(JSON.parse(line) as {}) })
    store = tellOutages(await openPostgres(road.url, 2), log)
    atEnd(() => store.end())
  })

  async function failure(): Promise<unknown> {
    road.cutAt(1, 'answer')
    return store.query('SELECT 1').catch((error: unknown) => error)
  }

  test('says so once, counts what everybody else says of it, and says when it works again', async () => {
    const err = await failure()
    expect(err).toBeInstanceOf(StoreError)
    for (let i = 0; i < 5; i++) log.warn({ err }, 'housekeeping is late; trying again')
    const problem = new Problem('store-unavailable', 'Nothing runs.', {}, { cause: err })
    log.child({ part: 'console' }).warn({ err: problem }, 'a request failed')
    log.warn({ err: undefined, code: 'store-unavailable' }, 'The audit store does not answer.')
    await failure()
    log.warn({ err: new Error('something else') }, 'the keys of this issuer cannot be fetched')
    log.warn('a card in Teams carries no ballot of ours')
    log.error({ err }, 'an outcome could not be recorded; it stays unknown')

    await expect
      .poll(async () => {
        await store.query('SELECT 1')
        return said()
      }, soon)
      .toContain('the store works again')
    expect(lines[0]).toEqual({
      level: 'error',
      time: expect.any(String),
      code: 'unavailable',
      error: expect.any(String),
      msg: 'the store fails: what needs it waits, or is refused',
    })
    expect(said().filter((msg) => !String(msg).startsWith('the store'))).toEqual([
      'the keys of this issuer cannot be fetched',
      'a card in Teams carries no ballot of ours',
      'an outcome could not be recorded; it stays unknown',
    ])
    // On a slow machine there is one in between.
    const told = lines.filter(({ msg }) =>
      /^the store (still fails|works again)$/.test(String(msg)),
    )
    const sum = (name: string) => told.reduce((total, line) => total + Number(line[name]), 0)
    expect({ failures: sum('failures'), left_out: sum('left_out') }).toEqual({
      failures: 2,
      left_out: 7,
    })
  })

  test('what lies in a statement is no outage', async () => {
    lines.length = 0
    const mistake = await store.query('SELECT 1 / 0').catch((error: unknown) => error)
    log.warn({ err: mistake }, 'usage could not be counted')
    expect(said()).toEqual(['usage could not be counted'])
  })

  test('who waited in vain is told of in the place of what has not even failed yet', async () => {
    lines.length = 0
    for (let i = 0; i < 100; i++) log.warn({ code: 'store-unavailable' }, 'Nothing runs.')
    expect(lines).toMatchObject([{ code: 'store-unavailable', error: 'it does not answer' }])
  })
})
