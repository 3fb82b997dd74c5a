import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { refund, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

test('at debug, a decision is one line with the id that the agent and the audit log have; no line has a secret', async () => {
  const upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
  const gateway = await startTestGateway({ upstream: upstream.url, policies })

  const read = await gateway.agent('/crm/v1/customers?api_key=query-secret', {
    headers: { 'x-api-key': 'header-secret' },
  })
  await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
  await gateway.agent('/crm/v1/notes', { method: 'POST', body: 'body-secret' })
  const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
  await gateway.vote('dana', await gateway.pending())
  expect((await held).status).toBe(201)
  const made = await gateway.person('dana', '/api/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'nightly' }),
  })
  const { token } = (await made.json()) as { token: string }
  const authorization = `Bearer ${token}`
  await fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers: { authorization } })
  await fetch(`${gateway.agentsUrl}/crm/v1/customers`, {
    headers: { authorization: 'Bearer forged-token' },
  })
  const tokens = [token, await gateway.agentToken(), await gateway.personToken('dana')]
  const secrets = JSON.parse(readFileSync(join(gateway.folder, 'secrets.json'), 'utf8')) as object
  await gateway.close()

  const text = gateway.logged()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.filter(({ msg }) => msg === 'decided').slice(0, 3)).toMatchObject([
    {
      action: read.headers.get('sallyport-action'),
      resource: 'crm',
      verdict: 'allow',
      rules: ['agents-read'],
    },
    { verdict: 'deny', reason: 'DESTRUCTIVE' },
    { verdict: 'allow' },
  ])
  expect(lines.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['started', 'stopping', 'stopped']),
  )
  const hidden = [
    ...tokens.flatMap((one) => one.split('.').filter((part) => part.length > 20)),
    ...Object.values(secrets).filter((value) => typeof value === 'string'),
    ...[
      'query-secret',
      'header-secret',
      'body-secret',
      'forged-token',
      'upstream-secret-of-the-test',
    ],
  ]
  // Any JWT, and any agent key.
  expect(text).not.toMatch(/eyJ[\w-]{10,}\.|sp_[\w-]{48}/)
  expect(hidden.filter((secret) => text.includes(secret))).toEqual([])
})
