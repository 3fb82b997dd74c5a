import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { ActivePolicies } from '../../src/gate/in-force/active-policies.ts'
import { decidedAnew } from '../../src/gate/decided-anew.ts'
import { Gate } from '../../src/gate/gate.ts'
import { readInForce } from '../../src/gate/in-force/generations.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { readPolicyFolder } from '../../src/policy/load.ts'
import { StoreError, type Store } from '../../src/store/db.ts'
import { pinGeneration } from '../../src/store/generation.ts'
import { agent, anIntent, quiet, startReplica } from '../support/audit.ts'
import { attemptAt, openTestGate } from '../support/gate.ts'
import { atEnd, openTestStore } from '../support/store.ts'
import { nobodyRefunds, refundsNeed } from './policies.ts'

const [one, two, none] = [refundsNeed(1), refundsNeed(2), nobodyRefunds]
const mistake = 'rules: [{ name: a, on: crn, then: deny }]'
const soon = { timeout: 60_000, interval: 20 }

const hashOf = (text: string): string =>
  compilePolicies([{ file: 'a.yaml', text }], { resources: [crm] }).hash
const crm = { name: 'crm', protocol: 'http', facts: [] }

/** A replica with files of its own. */
async function startWith(text: string, store: Store, { resources = [crm], cannotRead = '' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-policies-'))
  const write = (rules: string) => writeFileSync(join(folder, 'a.yaml'), rules)
  write(text)
  const { audit, lease } = await startReplica(store)
  const policies = await ActivePolicies.open({
    folder,
    read: async () => (await readPolicyFolder(folder)).policies,
    compile: (documents, from) => {
      if (cannotRead && documents.some(({ text }) => text.includes(cannotRead))) {
        throw new MistakesError([{ file: 'a.yaml', message: 'There is no such key.' }])
      }
      return compilePolicies(documents, { resources, elsewhere: from === 'elsewhere' })
    },
    replica: lease.replica,
    store,
    audit,
    log: quiet,
  })
  await policies.start(null)
  atEnd(async () => {
    await policies.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    policies,
    write,
    async stop() {
      await policies.close()
      await lease.close()
    },
    get hash() {
      return policies.current.hash
    },
    get generation() {
      return policies.current.generation
    },
  }
}

let store: Store

beforeEach(async () => {
  store = await openTestStore()
})

describe('a file that is edited on one replica', () => {
  it('decides on all of them', async () => {
    const [a, b] = [await startWith(one, store), await startWith(one, store)]
    expect([a.generation, b.generation]).toEqual([1, 1])
    a.write(two)
    await expect.poll(() => [a.hash, b.hash], soon).toEqual([hashOf(two), hashOf(two)])
    expect([a.generation, b.generation]).toEqual([2, 2])
  })

  it('can go back to what it said before, on purpose', async () => {
    const [a, b] = [await startWith(one, store), await startWith(one, store)]
    a.write(two)
    await expect.poll(() => b.generation, soon).toBe(2)
    a.write(one)
    await expect.poll(() => [b.hash, b.generation], soon).toEqual([hashOf(one), 3])
  })

  it('changes nothing with a mistake in it', async () => {
    const a = await startWith(one, store)
    a.write(mistake)
    await a.policies.reload(null)
    expect([a.hash, a.generation]).toEqual([hashOf(one), 1])
    a.write(two)
    await expect.poll(() => a.hash, soon).toBe(hashOf(two))
  })

  it('is noticed in a folder that was deleted and made again', async () => {
    const a = await startWith(one, store)
    rmSync(a.folder, { recursive: true })
    mkdirSync(a.folder)
    a.write(two)
    await expect.poll(() => a.hash, soon).toBe(hashOf(two))
    a.write(none)
    await expect.poll(() => a.hash, soon).toBe(hashOf(none))
  })
})

describe('old files (class 25: reload race)', () => {
  it('of a replica that starts do not come into force again', async () => {
    const a = await startWith(one, store)
    a.write(two)
    await expect.poll(() => a.generation, soon).toBe(2)
    const late = await startWith(one, store)
    expect([late.hash, late.generation]).toEqual([hashOf(two), 2])
    expect((await readInForce(store)).generation).toBe(2)
  })

  it('of one that starts when all others have stopped do: that is how people go back', async () => {
    const a = await startWith(one, store)
    a.write(two)
    await expect.poll(() => a.generation, soon).toBe(2)
    await a.stop()
    const next = await startWith(one, store)
    expect([next.hash, next.generation]).toEqual([hashOf(one), 3])
  })

  it('do not replace what a person has proposed, which is in no files', async () => {
    const a = await startWith(one, store)
    const documents = [{ file: 'a.yaml', text: none }]
    await a.policies.propose(documents, async () => null, agent)
    await a.stop()
    const next = await startWith(one, store)
    expect([next.hash, next.generation]).toEqual([hashOf(none), 2])
  })

  it('of a replica that lags behind do not, while it catches up with what the others have been through', async () => {
    const [a, b] = [await startWith(one, store), await startWith(one, store)]
    for (const [index, rules] of [two, none].entries()) {
      a.write(rules)
      await expect.poll(() => a.generation, soon).toBe(index + 2)
    }
    for (const rules of [two, none]) {
      b.write(rules)
      await b.policies.reload(null)
      expect([b.hash, b.generation]).toEqual([hashOf(none), 3])
    }
    // From here on its files are its own again.
    b.write(one)
    await expect.poll(() => [a.hash, a.generation], soon).toEqual([hashOf(one), 4])
  })

  it('are new ones to a release that nobody has seen', async () => {
    const a = await startWith(one, store)
    await startWith(two, store)
    await expect.poll(() => [a.hash, a.generation], soon).toEqual([hashOf(two), 2])
  })
})

describe('a replica of another configuration or version', () => {
  it('follows the rules about the resources that it has', async () => {
    const hr = { ...crm, name: 'hr' }
    const a = await startWith(one, store)
    const more = `${one}  - { name: hr-too, on: hr, then: deny }\n`
    await startWith(more, store, { resources: [crm, hr] })
    await expect.poll(() => a.generation, soon).toBe(2)
    expect(a.policies.current.rulesFor('crm')?.all).toHaveLength(2)
    expect(a.policies.current.rulesFor('hr')).toBeUndefined()
  })

  it('runs nothing, and says so, where it cannot read what is in force', async () => {
    const a = await startWith(one, store, { cannotRead: 'a newer language' })
    await startWith(`${two}# a newer language`, store)
    await expect.poll(() => a.policies.behind, soon).toBe(true)
    expect(a.hash).toBe(hashOf(one))
    const stale = store.tx((tx) => pinGeneration(tx, a.generation))
    await expect(stale).rejects.toMatchObject({ code: 'SP005' })
  })
})

describe('what was decided by policies that are not in force any more', () => {
  it('is not recorded, and its neighbours are', async () => {
    const a = await startWith(one, store)
    const { audit } = await startReplica(store)
    a.write(two)
    await expect.poll(() => a.generation, soon).toBe(2)
    const [told, decided, current] = await Promise.allSettled([
      audit.append({ type: 'identity.login' }),
      audit.append(anIntent(), 1),
      audit.append(anIntent(), 2),
    ])
    expect(told.status).toBe('fulfilled')
    expect(decided).toMatchObject({ status: 'rejected', reason: { code: 'SP005' } })
    // It came together with one that was too old: whoever waits for it decides again.
    if (current.status === 'rejected') expect(current.reason).toMatchObject({ code: 'SP005' })
    await expect(audit.append(anIntent(), 2)).resolves.toBeUndefined()
  })

  it.each(['read', 'write'] as const)('is decided anew: a %s is denied now', async (effect) => {
    const a = await startWith(`rules: [{ name: all, on: crm, then: allow }]`, store)
    const before = a.policies.current
    let policies = before
    const ctx = await openTestGate(store, one)
    const gate = new Gate({
      ...ctx,
      policies: () => policies,
      catchUp: async () => void (policies = a.policies.current),
    })
    a.write(none)
    await expect.poll(() => a.generation, soon).toBe(2)
    const attempt = attemptAt('refund')
    const enforced = gate.enforce({ ...attempt, action: { ...attempt.action, effect } })
    const outcome = effect === 'read' ? enforced.then((permit) => permit.recorded) : enforced
    await expect(outcome).rejects.toMatchObject({ code: 'denied' })
  })

  it('is not decided at all by a replica that cannot keep up', async () => {
    await startWith(one, store)
    const ctx = await openTestGate(store, 'rules: [{ name: all, on: crm, then: allow }]')
    await expect(new Gate(ctx).enforce(attemptAt('refund'))).rejects.toMatchObject({
      code: 'policies-changed',
    })
    await expect(
      decidedAnew(ctx, () => store.tx((tx) => pinGeneration(tx, 0))),
    ).rejects.toMatchObject({ code: 'policies-changed' })
  })
})

it('comes into force by itself when the store is back that had to know of it first', async () => {
  let away = false
  const gone: Store = {
    ...bound(store),
    tx: async (work) => {
      if (away) throw new StoreError('08001', 'connect ECONNREFUSED')
      return store.tx(work)
    },
  }
  const a = await startWith(one, gone)
  away = true
  a.write(none)
  await a.policies.reload(null)
  expect(a.hash).toBe(hashOf(one))
  away = false
  await expect.poll(() => a.hash, soon).toBe(hashOf(none))
})

function bound(store: Store): Store {
  return {
    kind: store.kind,
    query: (sql, params) => store.query(sql, params),
    exchange: (statements) => store.exchange(statements),
    tx: (work) => store.tx(work),
    listen: (channel, onNotify) => store.listen(channel, onNotify),
    notify: (channel, payload) => store.notify(channel, payload),
    end: () => store.end(),
  }
}
