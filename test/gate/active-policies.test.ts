import { expect, it } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { ActivePolicies } from '../../src/gate/active-policies.ts'
import type { CompiledPolicies } from '../../src/policy/compile.ts'
import { StoreError, type Store } from '../../src/store/db.ts'
import { quiet, startReplica } from '../support/audit.ts'
import { compileTestPolicies } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'
import { nobodyRefunds, refundsNeed } from './policies.ts'

/** Policies that are loaded when a test says so. */
async function openPolicies(first: CompiledPolicies) {
  const store = await openTestStore()
  const { audit } = await startReplica(store)
  let load = async () => first
  let away = false
  const tx: Store['tx'] = async (work) => {
    if (away) throw new StoreError('08001', 'connect ECONNREFUSED')
    return store.tx(work)
  }
  const policies = await ActivePolicies.open({
    folder: import.meta.dirname,
    load: () => load(),
    store: { tx },
    audit,
    log: quiet,
  })
  return {
    policies,
    setLoad: (next: typeof load) => (load = next),
    setAway: (is: boolean) => (away = is),
  }
}

const [one, two, none] = [
  compileTestPolicies(refundsNeed(1)),
  compileTestPolicies(refundsNeed(2)),
  compileTestPolicies(nobodyRefunds),
]

it('end with the version that was read last, however long the one before takes (class 25: reload race)', async () => {
  const { policies, setLoad } = await openPolicies(one)
  const slow = Promise.withResolvers<CompiledPolicies>()
  setLoad(() => slow.promise)
  const first = policies.reload()
  setLoad(async () => none)
  const second = policies.reload()
  slow.resolve(two)
  await Promise.all([first, second])
  expect(policies.current.hash).toBe(none.hash)
  await policies.close()
})

it('keep the version before while there is a mistake in the next one', async () => {
  const { policies, setLoad } = await openPolicies(one)
  setLoad(async () => {
    throw new MistakesError([{ file: 'a.yaml', line: 3, message: 'There is no resource crn.' }])
  })
  await policies.reload()
  expect(policies.current.hash).toBe(one.hash)
  await policies.close()
})

it('come into force by themselves when the store is back that had to know of them first', async () => {
  const { policies, setLoad, setAway } = await openPolicies(one)
  setLoad(async () => none)
  setAway(true)
  await policies.reload()
  expect(policies.current.hash).toBe(one.hash)
  setAway(false)
  await expect.poll(() => policies.current.hash, { timeout: 10_000 }).toBe(none.hash)
  await policies.close()
})
