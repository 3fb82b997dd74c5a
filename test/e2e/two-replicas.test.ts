import { setTimeout as later } from 'node:timers/promises'
import fc from 'fast-check'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, statusesOf, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }

describe.skipIf(!storeKinds.includes('postgres'))(
  'two gateways on one database (needs PostgreSQL: the embedded store has one process)',
  () => {
    let upstream: CountingUpstream
    let folder: string
    let start: () => Promise<GatewayProcess>
    let replicas: [GatewayProcess, GatewayProcess]

    beforeAll(async () => {
      upstream = await startCountingUpstream()
      atEnd(() => upstream.close())
      const config = 'hold: { max_per_subject: 100 }'
      const configured = await configureGateway({
        upstream: upstream.url,
        policies,
        config,
        store: 'postgres',
      })
      ;({ folder, start } = configured)
      replicas = await Promise.all([start(), start()])
    })

    beforeEach(() => {
      upstream.arrived.length = 0
    })

    it('release at one what is approved at the other', async () => {
      const [a, b] = replicas
      const asked = a.agent('/crm/v1/refunds', waiting(refund(), 300))
      const approval = await b.pending()
      expect((await b.vote('dana', approval)).status).toBe(200)
      expect((await asked).status).toBe(201)
      expect(upstream.arrived).toHaveLength(1)
      await expect.poll(() => b.approval(approval.id), soon).toMatchObject({ state: 'succeeded' })
    })

    it('decide alike within a second of a change of the policies at one of them', async () => {
      const [a, b] = replicas
      const file = join(folder, 'policies', 'crm.yaml')
      const before = policies['crm.yaml']
      const generation = async (replica: GatewayProcess) => {
        const response = await replica.person('dana', '/api/policies')
        return ((await response.json()) as { generation: number }).generation
      }
      const first = await generation(a)
      writeFileSync(file, before.replace('name: agents-note', 'name: agents-take-notes'))
      await expect.poll(() => generation(a), soon).toBe(first + 1)
      await expect.poll(() => generation(b), soon).toBe(first + 1)
      // Both have the folder, and both saw it change: it came into force once.
      writeFileSync(file, before)
      await expect.poll(() => generation(b), soon).toBe(first + 2)
      await expect.poll(() => generation(a), soon).toBe(first + 2)
    })

    it('open to a key that was made at the other one, and no more once it is revoked there', async () => {
      const [a, b] = replicas
      const post = (path: string, body: object) =>
        a.person('dana', path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      const made = await post('/api/keys', { name: 'either', groups: ['agents'] })
      const { key, token } = (await made.json()) as { key: { id: string }; token: string }
      const ask = async () => {
        const headers = { authorization: `Bearer ${token}` }
        return (await fetch(`${b.agentsUrl}/crm/v1/customers`, { headers })).status
      }
      expect(await ask()).toBe(200)
      expect((await post(`/api/keys/${key.id}/revoke`, {})).status).toBe(200)
      await expect.poll(ask, soon).toBe(401)
    })

    it('run a request once that waits at both (class 12)', async () => {
      const [a, b] = replicas
      const request = waiting(refund(), 300)
      const asked = [a, b, a, b].map((replica) => replica.agent('/crm/v1/refunds', request))
      await b.vote('dana', await b.pending())
      const answers = await Promise.all(asked)
      expect(statusesOf(answers)).toEqual([201, 403, 403, 403])
      for (const answer of answers.filter(({ status }) => status === 403)) {
        await problemIn(answer, 'approval-used')
      }
      expect(upstream.arrived).toHaveLength(1)
    })

    it('count one vote of a person who votes at both at once', async () => {
      const [a, b] = replicas
      const asked = a.agent('/crm/v1/exports', waiting(refund(), 300))
      const approval = await b.pending()
      const votes = await Promise.all([a, b].map((replica) => replica.vote('omar', approval)))
      expect(statusesOf(votes)).toEqual([200, 409])
      expect(await a.approval(approval.id)).toMatchObject({ state: 'pending' })
      expect(upstream.arrived).toEqual([])
      await b.vote('lena', approval)
      expect((await asked).status).toBe(201)
    })

    it.each([0, 1] as const)(
      'run nothing twice, and lose nothing, when number %i of them is killed under load (class 15)',
      async (victim) => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (votesBefore) => {
            upstream.answer = (_request, response) =>
              void later(10).then(() => response.writeHead(201).end('{}'))
            const requests = Array.from({ length: 24 }, () => refund())
            const survivor = replicas[1 - victim]!

            // Half of the agents wait at each. Who loses the connection asks the other one, by the approval's name.
            const approvals: PendingApproval[] = []
            for (const [index, request] of requests.entries()) {
              const held = replicas[index % 2]!.agent('/crm/v1/refunds', waiting(request, 0))
              const { task } = await problemIn(held, 'approval-pending')
              approvals.push(await survivor.approval(task.id))
            }
            const asked = requests.map(async (request, index) => {
              const named = waiting(request, 300)
              named.headers = { ...named.headers, 'sallyport-approval': approvals[index]!.id }
              return replicas[index % 2]!.agent('/crm/v1/refunds', named).catch(() =>
                survivor.agent('/crm/v1/refunds', named),
              )
            })

            const votes = approvals.map(async (approval, index) => {
              await later(index * 5)
              if (index === votesBefore) replicas[victim].signal('SIGKILL')
              return replicas[index % 2]!.vote('dana', approval).catch(() =>
                survivor.vote('dana', approval),
              )
            })
            // A vote whose answer was lost may have counted.
            for (const { status } of await Promise.all(votes)) expect([200, 409]).toContain(status)
            const statuses = (await Promise.all(asked)).map(({ status }) => status)
            await replicas[victim].ended

            const ends = ['succeeded', 'failed', 'unknown']
            for (const [index, { id }] of approvals.entries()) {
              await expect
                .poll(async () => (await survivor.approval(id)).state, soon)
                .toSatisfy((state: string) => ends.includes(state))
              const { state } = await survivor.approval(id)
              const arrived = upstream.arrived.filter(({ body }) => body === requests[index]!.body)
              expect(arrived.length, `${id} is ${state}`).toBeLessThanOrEqual(1)
              // What is called succeeded has arrived, and whoever was told so was told the truth.
              if (state === 'succeeded' || statuses[index] === 201) expect(arrived).toHaveLength(1)
            }

            const log = await verifiedLog(survivor, folder)
            for (const { id } of approvals) {
              const story = log.filter((event) => event.approval === id).map(({ type }) => type)
              const count = (type: string) => story.filter((one) => one === type).length
              expect(count('approval.resolved')).toBe(1)
              expect(count('action.dispatched')).toBe(1)
              expect(story.indexOf('approval.resolved')).toBeLessThan(
                story.indexOf('action.dispatched'),
              )
              expect(story.at(-1)).toBe('action.completed')
            }
            replicas[victim] = await start()
          }),
          { numRuns: 1, endOnFailure: true },
        )
      },
    )
  },
)
