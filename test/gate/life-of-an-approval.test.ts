import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isOpen, type ApprovalState } from '../../src/approvals/machine.ts'
import { getApproval } from '../../src/approvals/store.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { startHousekeeping } from '../../src/gate/housekeeping.ts'
import { cancelApproval } from '../../src/gate/settle.ts'
import { castVote } from '../../src/gate/vote.ts'
import type { PoliciesInForce } from '../../src/gate/in-force/generations.ts'
import { attemptAt, compileTestPolicies, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { nobodyRefunds, refundsNeed } from './policies.ts'

/** Approvers that the rule in force asks for; 0: it denies. */
type Asks = 0 | 1 | 2

/** What should be true of one request, and of the last approval that it has asked for. */
interface Model {
  asks: Asks
  state: ApprovalState | null
  /** How many the rule asked for when the approval was asked for. */
  quorum: Asks
  approvers: Set<string>
  voters: Set<string>
}

/** The same, as it is. */
interface Real {
  readonly ctx: GateContext
  readonly note: string
  policies: PoliciesInForce
  approval: string | null
  runs: number
  readonly review: () => Promise<void>
}

type Command = fc.AsyncCommand<Model, Real>

let versions: Record<Asks, PoliciesInForce>
let people: Record<string, Person>

/** What came of it: `done`, or the code of the problem. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.code
  }
}

async function agree(model: Model, { ctx, approval }: Real): Promise<void> {
  const { state } = (approval && (await getApproval(ctx.store, approval))) || { state: null }
  expect(state).toBe(model.state)
}

class Send implements Command {
  check = () => true

  async run(model: Model, real: Real): Promise<void> {
    const expected = this.#expected(model)
    const told = await outcomeOf(this.#send(real))
    expect(told).toBe(expected)
    await agree(model, real)
  }

  async #send(real: Real): Promise<void> {
    try {
      const permit = await new Gate(real.ctx).enforce(attemptAt(real.note))
      permit.redeem(permit.digest)
      real.runs++
      await permit.complete({ result: 'succeeded', status: 201 })
    } catch (error) {
      const task = error instanceof Problem && (error.members['task'] as { id: string } | undefined)
      if (task) real.approval = task.id
      throw error
    }
  }

  #expected(model: Model): string {
    if (model.asks === 0) return 'denied'
    if (model.state === null || !isOpen(model.state)) {
      model.state = 'pending'
      model.quorum = model.asks
      model.approvers = new Set()
      model.voters = new Set()
      return 'approval-pending'
    }
    if (model.asks > model.quorum) {
      model.state = 'invalidated'
      return 'approval-invalidated'
    }
    if (model.state === 'pending') return 'approval-pending'
    model.state = 'succeeded'
    return 'done'
  }

  toString = () => 'send'
}

class Vote implements Command {
  readonly #voter: string
  readonly #decision: 'approve' | 'deny'

  constructor(voter: string, decision: 'approve' | 'deny') {
    this.#voter = voter
    this.#decision = decision
  }

  check = ({ state }: Readonly<Model>) => state !== null

  async run(model: Model, real: Real): Promise<void> {
    const expected = this.#expected(model)
    const { id, digest, viewHash } = (await getApproval(real.ctx.store, real.approval!))!
    const ballot = { approval: id, digest, viewHash, decision: this.#decision, reason: null }
    const vote = castVote(real.ctx, people[this.#voter]!, {
      ...ballot,
      scope: 'once',
      channel: 'api',
    })
    expect(await outcomeOf(vote)).toBe(expected)
    await agree(model, real)
  }

  #expected(model: Model): string {
    if (this.#voter === 'priya') return 'self-approval'
    if (this.#voter === 'omar') return 'not-eligible'
    if (model.state !== 'pending' || model.voters.has(this.#voter)) return 'already-resolved'
    model.voters.add(this.#voter)
    if (this.#decision === 'deny') model.state = 'denied'
    else if (model.approvers.add(this.#voter).size >= model.quorum) model.state = 'approved'
    return 'done'
  }

  toString = () => `${this.#voter}: ${this.#decision}`
}

class Cancel implements Command {
  check = ({ state }: Readonly<Model>) => state !== null

  async run(model: Model, real: Real): Promise<void> {
    const open = isOpen(model.state!)
    if (open) model.state = 'cancelled'
    const cancelled = cancelApproval(real.ctx, real.approval!, people['dana']!)
    expect(await outcomeOf(cancelled)).toBe(open ? 'done' : 'already-resolved')
    await agree(model, real)
  }

  toString = () => 'cancel'
}

class Ask implements Command {
  readonly #asks: Asks
  readonly #reviewed: boolean

  /** The policies change, and what waits is looked at again: at once, or only when it is used. */
  constructor(asks: Asks, reviewed: boolean) {
    this.#asks = asks
    this.#reviewed = reviewed
  }

  check = () => true

  async run(model: Model, real: Real): Promise<void> {
    model.asks = this.#asks
    real.policies = versions[this.#asks]
    if (this.#reviewed) {
      const open = model.state !== null && isOpen(model.state)
      if (open && (model.asks === 0 || model.asks > model.quorum)) model.state = 'invalidated'
      await real.review()
    }
    await agree(model, real)
  }

  toString = () => `the rule asks for ${this.#asks}${this.#reviewed ? ', reviewed' : ''}`
}

describe.each(storeKinds)('the life of an approval, on the %s store', (kind) => {
  let gate: GateContext
  // Requests have to differ, also between runs.
  let count = 0

  beforeAll(async () => {
    const store = await openTestStore(kind)
    gate = await openTestGate(store, refundsNeed(1))
    versions = {
      0: compileTestPolicies(nobodyRefunds),
      1: gate.policies(),
      2: compileTestPolicies(refundsNeed(2)),
    }
    const names = { dana: ['leads'], noor: ['leads'], lena: ['leads'], omar: [], priya: ['leads'] }
    people = {}
    for (const [name, groups] of Object.entries(names)) {
      people[name] = await person(store, name, groups)
    }
  })

  it('is that of the state machine, whatever people, agents and policies do', async () => {
    const eligible = fc.constantFrom('dana', 'noor', 'lena')
    const anybody = fc.constantFrom('dana', 'noor', 'lena', 'omar', 'priya')
    const decision = fc.constantFrom<('approve' | 'deny')[]>('approve', 'approve', 'deny')
    const send = fc.constant(new Send())
    const approve = eligible.map((name) => new Vote(name, 'approve'))
    const vote = fc.tuple(anybody, decision).map((it) => new Vote(...it))
    const ask = fc.tuple(fc.constantFrom<Asks[]>(0, 1, 2), fc.boolean()).map((it) => new Ask(...it))
    const askForMore = fc.boolean().map((reviewed) => new Ask(2, reviewed))
    const cancel = fc.constant(new Cancel())
    // What leads on is more likely than what ends, or few would get far.
    const commands = [send, send, send, approve, approve, approve, vote, ask, askForMore, cancel]
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 30, size: 'max' }), async (script) => {
        const real: Real = {
          ctx: { ...gate, policies: () => real.policies },
          note: `refund ${count++}`,
          policies: versions[1],
          approval: null,
          runs: 0,
          review: async () => {
            const housekeeping = startHousekeeping(real.ctx)
            await housekeeping.stop()
            await housekeeping.once()
          },
        }
        const model: Model = {
          asks: 1,
          state: null,
          quorum: 1,
          approvers: new Set(),
          voters: new Set(),
        }
        await fc.asyncModelRun(() => ({ model, real }), script)
        // What is open would be looked at in every review that comes.
        if (real.approval) await outcomeOf(cancelApproval(gate, real.approval, people['dana']!))
      }),
      { numRuns: 25 },
    )
  })
})
