import { setTimeout as later } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { refund, verifiedLog, waiting, type AuditEvent } from './requests.ts'

const soon = { timeout: 60_000, interval: 200 }

const ends = ['succeeded', 'failed', 'unknown']

interface Sent {
  readonly body: string
  /** 0: the connection was lost. */
  readonly status: number
}

describe.skipIf(!storeKinds.includes('postgres'))(
  'SIGKILL for one of two gateways, while requests wait at both, are left to both, are written through both, and are voted on (needs PostgreSQL)',
  () => {
    let upstream: CountingUpstream
    let folder: string
    let start: () => Promise<GatewayProcess>
    let replicas: [GatewayProcess, GatewayProcess]

    beforeAll(async () => {
      upstream = await startCountingUpstream()
      atEnd(() => upstream.close())
      // Slow enough for some to be under way at any time.
      upstream.answer = (_request, response) =>
        void later(150).then(() => response.writeHead(201).end('{}'))
      const config = 'hold: { max_per_subject: 100, max_per_hour: 1000 }'
      const options = { upstream: upstream.url, policies, config, store: 'postgres' } as const
      ;({ folder, start } = await configureGateway(options))
      replicas = await Promise.all([start(), start()])
    })

    const arrivals = (body: unknown) =>
      upstream.arrived.filter((request) => request.body === body).length

    /** Has people asked, at one replica after the other, and gives what they see at the one that will live. */
    async function askFor(
      requests: readonly RequestInit[],
      prefer: string,
      survivor: GatewayProcess,
    ): Promise<PendingApproval[]> {
      const approvals: PendingApproval[] = []
      for (const [index, request] of requests.entries()) {
        const headers = { ...(request.headers as object), prefer }
        const answer = replicas[index % 2]!.agent('/crm/v1/refunds', { ...request, headers })
        const { task } = (await (await answer).json()) as { task: { id: string } }
        approvals.push(await survivor.approval(task.id))
      }
      return approvals
    }

    /** Who loses the connection asks the other one, by the approval's name. */
    function waitFor(request: RequestInit, { id }: PendingApproval, at: number, other: number) {
      const named = waiting(request, 300)
      named.headers = { ...(named.headers as object), 'sallyport-approval': id }
      return replicas[at]!.agent('/crm/v1/refunds', named).catch(() =>
        replicas[other]!.agent('/crm/v1/refunds', named),
      )
    }

    async function write(replica: GatewayProcess, until: AbortSignal): Promise<Sent[]> {
      const sent: Sent[] = []
      while (!until.aborted) {
        const body = `a note ${crypto.randomUUID()}`
        const note = replica.agent('/crm/v1/notes', { method: 'POST', body })
        const status = await note.then(
          (answer) => answer.status,
          () => 0,
        )
        sent.push({ body, status })
        if (status === 0) break
      }
      return sent
    }

    it.each([0, 1] as const)(
      'number %i: every action has an outcome, none ran twice, and the log verifies',
      async (victim) => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: 16 }), async (arrivedBefore) => {
            const other = victim === 0 ? 1 : 0
            const survivor = replicas[other]
            const waited = Array.from({ length: 12 }, () => refund())
            const left = Array.from({ length: 6 }, () => refund())
            const all = [...waited, ...left]
            const arrived = () => all.filter(({ body }) => arrivals(body) > 0).length

            const approvals = await askFor(waited, 'wait=0', survivor)
            const detached = await askFor(left, 'respond-async', survivor)
            const asked = waited.flatMap((request, index) => [
              waitFor(request, approvals[index]!, victim, other),
              waitFor(request, approvals[index]!, other, other),
            ])
            const enough = new AbortController()
            const writing = replicas.map((replica) => write(replica, enough.signal))
            const votes = [...approvals, ...detached].map(async (approval, index) => {
              await later(index * 20)
              return replicas[index % 2]!.vote('dana', approval).catch(() =>
                survivor.vote('dana', approval),
              )
            })
            await expect
              .poll(arrived, { ...soon, interval: 2 })
              .toBeGreaterThanOrEqual(arrivedBefore)
            replicas[victim].signal('SIGKILL')

            // A vote whose answer was lost may have counted.
            for (const { status } of await Promise.all(votes)) expect([200, 409]).toContain(status)
            const statuses = (await Promise.all(asked)).map(({ status }) => status)
            enough.abort()
            const notes = (await Promise.all(writing)).flat()

            for (const [index, { id }] of [...approvals, ...detached].entries()) {
              const state = async () => (await survivor.approval(id)).state
              await expect.poll(state, soon).toBeOneOf(ends)
              const times = arrivals(all[index]!.body)
              expect(times, id).toBeLessThanOrEqual(1)
              // What is called succeeded has arrived, and whoever was told so was told the truth.
              const told = statuses.slice(index * 2, index * 2 + 2)
              if ((await state()) === 'succeeded' || told.includes(201)) expect(times, id).toBe(1)
            }
            for (const { body, status } of notes) {
              expect(arrivals(body)).toBeLessThanOrEqual(1)
              if (status === 201) expect(arrivals(body)).toBe(1)
              if (status === 503) expect(arrivals(body)).toBe(0)
            }
            await expect
              .poll(async () => accounts(await verifiedLog(survivor, folder)), soon)
              .toEqual({ withoutOutcome: [], dispatchedAgain: [], withTwoOutcomes: [] })
            replicas[victim] = await start()
          }),
          { numRuns: 1, endOnFailure: true },
        )
      },
    )
  },
)

/** What must not be in a log: ids of actions that were sent, or may have been, and have no outcome; and of what happened more than once. */
function accounts(log: readonly AuditEvent[]) {
  const outcomes = new Map<string, string[]>()
  const dispatched: string[] = []
  const sent: string[] = []
  for (const { type, action, approval, outcome, ...event } of log) {
    if (type === 'action.completed') {
      outcomes.set(action!.id, [...(outcomes.get(action!.id) ?? []), outcome!.result])
    }
    if (type === 'action.dispatched') dispatched.push(approval!)
    if (type === 'action.dispatched' || event['decision'] === 'allow') sent.push(action!.id)
  }
  return {
    withoutOutcome: sent.filter((id) => !outcomes.has(id)),
    dispatchedAgain: dispatched.filter((id, index) => dispatched.indexOf(id) !== index),
    // Late evidence may follow on `unknown`.
    withTwoOutcomes: [...outcomes].filter(([, all]) => all.length > 1 && all[0] !== 'unknown'),
  }
}
