import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type RunningGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import {
  startIdentityProvider,
  type DemoIdentityProvider,
} from '../../src/quickstart/identity-provider.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Browser } from '../support/browser.ts'
import { logIn } from '../support/control-plane.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { createTestDatabase, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { refund, waiting } from './requests.ts'

const upstreamToken = 'upstream-credential-of-the-test'
const databasePassword = 'database-password-of-the-test'

let folder: string
let logged = ''
let upstream: CountingUpstream
let idp: DemoIdentityProvider
let gateway: RunningGateway

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
  const log = createLog('debug', { write: (line) => void (logged += line) })
  upstream = await startCountingUpstream()
  idp = await startIdentityProvider({ port: 0, dataDir: folder, log: createLog('error') })
  const database = storeKinds[0] === 'postgres' ? new URL(await createTestDatabase()) : null
  if (database) database.password = databasePassword
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies', 'crm.yaml'), policies['crm.yaml'])
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen: { agents: { address: 127.0.0.1:0 }, control: { address: 127.0.0.1:0 } }
${database ? 'store: { url: ${DATABASE_URL} }' : ''}
identity:
  issuers:
    - issuer: ${idp.issuer}
      audience: ${idp.audience}
      claims: { groups: groups, owner: agent_owner, kind: kind }
  login:
    issuer: ${idp.issuer}
    client_id: ${idp.console.clientId}
    client_secret: \${CONSOLE_SECRET}
    cli_client_id: ${idp.cli.clientId}
  roles: { approver: { group: approvers }, auditor: { group: audit }, admin: { group: platform } }
resources:
  - name: crm
    protocol: http
    match: { prefix: /crm }
    upstream: ${upstream.url}
    credential: { header: Authorization, value: 'Bearer \${CRM_TOKEN}' }
    read: ['GET /v1/**']
    timeout: 1s
`,
  )
  const config = loadConfig(file, {
    DATABASE_URL: database?.href ?? '',
    CONSOLE_SECRET: idp.console.clientSecret,
    CRM_TOKEN: upstreamToken,
  })
  gateway = await startGateway(config, { log })
})

afterAll(async () => {
  await gateway.close()
  await idp.close()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

it('no secret is in any log, answer, list or export that anybody gets to see', async () => {
  // Everything that came back, except where a secret is handed out on purpose: the new key, once, and the cookie.
  const seen: string[] = []
  const hear = async (answer: Response) => {
    const headers = [...answer.headers].filter(([name]) => name !== 'set-cookie')
    const body = await answer.text()
    seen.push(JSON.stringify(headers), body)
    return body
  }
  const agent = (token: string, path: string, init: RequestInit = {}) => {
    const headers = { ...(init.headers as object), authorization: `Bearer ${token}` }
    return fetch(`${gateway.agentsUrl}${path}`, { ...init, headers })
  }

  // People log in, as the console does it; an agent gets a key.
  const dana = new Browser()
  await logIn(dana, gateway.controlUrl, 'dana')
  const me = JSON.parse(await (await dana.fetch(`${gateway.controlUrl}/api/me`)).text()) as {
    csrf_token: string
  }
  const post = (path: string, body: object) =>
    dana.fetch(`${gateway.controlUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-csrf-token': me.csrf_token,
        origin: gateway.controlUrl,
      },
      body: JSON.stringify(body),
    })
  const owner = { issuer: idp.issuer, subject: 'priya' }
  const created = await post('/api/keys', { name: 'night-bot', groups: ['agents'], owner })
  const { key, token: agentKey } = (await created.json()) as { key: { id: string }; token: string }
  const agentToken = await idp.agentToken('support-agent')
  const personToken = await idp.personToken('omar')

  // What agents do: allowed, denied, held and approved, refused, and not answered.
  const own = { 'x-api-key': 'api-key-that-the-agent-has', cookie: 'sid=cookie-that-the-agent-has' }
  for (const token of [agentToken, agentKey]) {
    await hear(await agent(token, '/crm/v1/customers', { headers: own }))
    await hear(await agent(token, '/crm/v1/customers', { method: 'DELETE' }))
    const request = refund()
    request.headers = { ...(request.headers as object), ...own }
    const held = await hear(await agent(token, '/crm/v1/refunds', waiting(request, 0)))
    const { task } = JSON.parse(held) as { task: { id: string; status_endpoint: string } }
    await hear(await agent(token, task.status_endpoint))
    const shown = await hear(await dana.fetch(`${gateway.controlUrl}/api/approvals/${task.id}`))
    const { view_hash, action } = JSON.parse(shown) as {
      view_hash: string
      action: { digest: string }
    }
    const ballot = { decision: 'approve', digest: action.digest, view_hash }
    await hear(await post(`/api/approvals/${task.id}/votes`, ballot))
    // Of the key she is the creator, so that her vote on it is refused; both are on record.
    await hear(await agent(token, '/crm/v1/refunds', waiting(request, 0)))
    await hear(await agent(token, '/nowhere'))
    upstream.answer = (_request, response) => void response.socket!.resetAndDestroy()
    await hear(await agent(token, '/crm/v1/notes', { method: 'POST', body: 'x', headers: own }))
    upstream.answer = (_request, response) => void response.writeHead(200).end('{}')
    // Tokens that are refused, in the shapes in which people get them wrong.
    await hear(await agent(`${token}x`, '/crm/v1/customers'))
    await hear(await agent(token.slice(0, -2), '/crm/v1/customers'))
    await hear(
      await fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers: { authorization: token } }),
    )
    await hear(
      await fetch(`${gateway.controlUrl}/api/me`, { headers: { authorization: `Basic ${token}` } }),
    )
  }
  await hear(await post(`/api/keys/${key.id}/revoke`, {}))
  await hear(await agent(agentKey, '/crm/v1/customers'))
  await hear(
    await fetch(`${gateway.controlUrl}/api/me`, {
      headers: { authorization: `Bearer ${personToken}` },
    }),
  )

  // What people can read about it.
  for (const path of [
    '/api/approvals',
    '/api/keys',
    '/api/policies',
    '/api/audit/events',
    '/api/audit/export?format=ndjson',
    '/api/openapi.json',
    '/healthz',
    '/readyz',
    '/metrics',
  ]) {
    await hear(await dana.fetch(`${gateway.controlUrl}${path}`))
  }
  const cookies = dana.seen.map((line) => /=([^;]{16,})/.exec(line)?.[1]).filter((it) => it)
  await hear(await post('/api/logout', {}))
  expect(upstream.arrived[0]!.headers.authorization).toBe(`Bearer ${upstreamToken}`)

  const own32 = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as object
  const secrets = [
    upstreamToken,
    databasePassword,
    idp.console.clientSecret,
    agentToken,
    personToken,
    agentKey,
    ...cookies,
    ...Object.values(own),
    ...Object.values(own32).filter((value) => typeof value === 'string'),
  ] as string[]
  expect(cookies.length).toBeGreaterThan(0)
  const everything = `${logged}\n${seen.join('\n')}`
  for (const secret of secrets) {
    // Neither it nor a part by which one could find the rest.
    for (const part of [
      secret,
      secret.slice(0, -2),
      secret.slice(-40),
      encodeURIComponent(secret),
    ]) {
      expect(everything.includes(part), `${part.slice(0, 12)}… is to be seen`).toBe(false)
    }
  }
})
