import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { problemIn, refund, verifiedLog, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway } from '../support/gateway-process.ts'
import { atEnd } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'

async function configured({ drain = '20s' } = {}) {
  const upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
  const { folder, start } = await configureGateway({ upstream: upstream.url, policies })
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('wait: 5s', `wait: 5s, drain: ${drain}`))
  return { upstream, folder, start: () => start({ asInstalled: true }) }
}

const note = { method: 'POST', body: 'called back' }

test('SIGTERM: nobody new gets in, who waits for people is told, what runs ends, and the exit code is 0', async () => {
  const { upstream, folder, start } = await configured()
  const gateway = await start()
  const answers = Promise.withResolvers<() => void>()
  const answer = upstream.answer
  upstream.answer = (request, response) => answers.resolve(() => answer(request, response))
  const running = gateway.agent('/crm/v1/notes', note)
  const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
  const approval = await gateway.pending()
  const letItAnswer = await answers.promise

  gateway.signal('SIGTERM')
  const { task } = await problemIn(held, 'approval-pending')
  expect(task.id).toBe(approval.id)
  const knock = () => fetch(`${gateway.agentsUrl}/crm/v1/customers`).then(({ status }) => status)
  await expect.poll(() => knock().catch((error: Error) => error.message)).toBe('fetch failed')
  letItAnswer()
  expect(await (await running).json()).toEqual({ did: 'POST /v1/notes' })
  expect(await gateway.ended).toBe(0)

  // What was asked for is asked for still, and everything has its outcome.
  upstream.answer = answer
  const next = await start()
  expect(await next.approval(approval.id)).toMatchObject({ state: 'pending' })
  const log = await verifiedLog(next, folder)
  const ran = log.filter(({ type }) => type === 'action.completed')
  expect(ran.map(({ outcome }) => outcome?.result)).toEqual(['succeeded'])
  expect(log.map(({ type }) => type)).toContain('gateway.stopped')
  const lines = gateway
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(said).toEqual(['started', 'stopping', 'stopped'])
})

test('an upstream that never answers keeps nobody from stopping: after `drain` it is cut off, and `unknown`', async () => {
  const { upstream, folder, start } = await configured({ drain: '300ms' })
  const gateway = await start()
  const answer = upstream.answer
  upstream.answer = () => undefined
  const running = gateway.agent('/crm/v1/notes', note).catch((error: unknown) => error)
  await expect.poll(() => upstream.arrived.length).toBe(1)

  gateway.signal('SIGTERM')
  expect(await running).toMatchObject({ message: 'fetch failed' })
  expect(await gateway.ended).toBe(0)

  upstream.answer = answer
  const next = await start()
  const log = await verifiedLog(next, folder)
  const ran = log.filter(({ type }) => type === 'action.completed')
  expect(ran.map(({ outcome }) => outcome?.result)).toEqual(['unknown'])

  // As docs/operations.md finds it.
  const asDana = {
    SALLYPORT_URL: next.controlUrl,
    SALLYPORT_TOKEN: await next.personToken('dana'),
  }
  const search = ['audit', 'search', '--result', 'unknown']
  const { out } = await sallyport([...search, '--json'], { environment: asDana })
  expect(JSON.parse(out)).toMatchObject({ action: { id: ran[0]!.action!.id } })
})
