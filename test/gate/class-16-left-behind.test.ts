import { beforeEach, describe, expect, it } from 'vitest'
import type { GateContext } from '../../src/gate/context.ts'
import { putInForce } from '../../src/gate/in-force/activate.ts'
import { Gate } from '../../src/gate/gate.ts'
import { readInForce, type PoliciesInForce } from '../../src/gate/in-force/generations.ts'
import { govern } from '../../src/gate/governing/govern.ts'
import { authorizeChange } from '../../src/gate/governing/policy-errand.ts'
import { subjectOfPerson } from '../../src/identity/people.ts'
import { attemptAt, compileTestPolicies, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'

// Class 16, policies that changed: a replica that has not loaded them, or cannot, must not go on by the ones before.

const everything = `
rules:
  - { name: all, on: crm, then: allow }
`
const nothing = `
rules:
  - { name: nobody, on: crm, then: deny }
  - { name: nobody-changes-this, on: sallyport, then: deny }
`

let ctx: GateContext
let mine: PoliciesInForce

beforeEach(async () => {
  ctx = await openTestGate(await openTestStore(), everything)
  mine = ctx.policies()
  ctx = { ...ctx, policies: () => mine }
})

const deps = () => ({ ...ctx, replica: ctx.lease.replica })

/** On another replica. */
async function putElsewhere(text: string): Promise<PoliciesInForce> {
  const compiled = compileTestPolicies(text)
  const { generation } = await putInForce(deps(), compiled, { base: 0, authorize: null })
  return { ...compiled, generation }
}

describe('a stream that is open on a replica that was left behind', () => {
  async function open() {
    const { action, credential, ...attempt } = attemptAt('events')
    const gate = new Gate({ ...ctx, catchUp: () => ctx.catchUp() })
    const permit = await gate.enforce({ ...attempt, action, credential })
    return { gate, running: { action, credential, permit, endless: true } }
  }

  it('ends, where the replica cannot load what is in force', async () => {
    const { gate, running } = await open()
    expect(await gate.whyEnded(running)).toBeNull()
    await putElsewhere(nothing)
    expect(await gate.whyEnded(running)).toMatchObject({ code: 'policies-changed' })
  })

  it('is looked at by what is in force, where the replica can', async () => {
    const { gate, running } = await open()
    let next = await putElsewhere(`${everything}# and the same again\n`)
    ctx = { ...ctx, catchUp: async () => void (mine = next) }
    expect(await gate.whyEnded(running)).toBeNull()
    next = await putElsewhere(nothing)
    expect(await gate.whyEnded(running)).toMatchObject({ code: 'denied' })
  })
})

describe('an administrator who asks a replica that was left behind', () => {
  const errand = { operation: 'key.create', target: 'bot', summary: '', payload: {} } as const

  it('makes no key that the policies in force deny', async () => {
    const dana = subjectOfPerson(await person(ctx.store, 'dana', ['platform']))
    expect(await govern(ctx, { ...errand, subject: dana })).toBeNull()
    await putElsewhere(nothing)
    await expect(govern(ctx, { ...errand, subject: dana })).rejects.toMatchObject({
      code: 'policies-changed',
    })
  })

  it('does not get rid of policies that say who may change them', async () => {
    const dana = subjectOfPerson(await person(ctx.store, 'dana', ['platform']))
    await putElsewhere(nothing)
    const next = compileTestPolicies(`${everything}# by Dana\n`)
    const { generation } = await readInForce(ctx.store)
    const proposal = { base: generation, authorize: authorizeChange(ctx, dana), subject: dana }
    await expect(putInForce(deps(), next, proposal)).rejects.toMatchObject({
      code: 'policies-changed',
    })
    expect((await readInForce(ctx.store)).generation).toBe(generation)
  })
})
