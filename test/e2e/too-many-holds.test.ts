import { afterAll, beforeAll, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'
import { problemIn, refund, waiting, type Problem } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  const config = 'hold: { max_per_subject: 3 }'
  gateway = await startTestGateway({ upstream: upstream.url, policies, config })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const ask = (request: RequestInit, claims = {}) =>
  gateway.agent('/crm/v1/refunds', waiting(request, 0), claims)

it('an agent that floods people with requests has so many open, and no more (class 24)', async () => {
  // All at once: the limit is not to be raced.
  const requests = Array.from({ length: 12 }, () => refund())
  const answers = await Promise.all(requests.map((request) => ask(request)))
  const problems = await Promise.all(
    answers.map(async (answer) => (await answer.json()) as Problem),
  )
  const held = problems.filter(({ type }) => type.endsWith('/approval-pending'))
  const refused = problems.filter(({ type }) => type.endsWith('/too-many-holds'))
  expect([held.length, refused.length]).toEqual([3, 9])
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 403))

  // What is open can be asked for again, and what is not allowed to wait does not concern anybody else.
  const again = requests[problems.indexOf(held[0]!)]!
  expect((await problemIn(ask(again), 'approval-pending')).task.id).toBe(held[0]!.task.id)
  await problemIn(ask(refund(), { sub: 'other-agent' }), 'approval-pending')

  // One that has ended makes room, however it ended.
  await gateway.agent(`${held[0]!.task.status_endpoint}/cancel`, { method: 'POST' })
  await problemIn(ask(refund()), 'approval-pending')
  await problemIn(ask(refund()), 'too-many-holds')
  await gateway.vote('dana', await gateway.approval(held[1]!.task.id))
  await problemIn(ask(refund()), 'too-many-holds')
  const approved = requests[problems.indexOf(held[1]!)]!
  expect((await ask(approved)).status).toBe(201)
  await problemIn(ask(refund()), 'approval-pending')
  expect(upstream.arrived).toHaveLength(1)
})
