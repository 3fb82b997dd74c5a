import { readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startGateway, type RunningGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openSecrets, rotateSecrets } from '../../src/config/secrets.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { gatewayClient } from '../support/gateway-client.ts'
import { startSlackServer, type SlackServer } from '../support/slack-server.ts'
import { createDataFolder } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

// What the gateway shows to chats, receivers, collectors and issuers; above all when they are in trouble, and answer with what they were told.

const secrets = {
  bot: 'xoxb-1234567890-of-the-test',
  webhook: `whsec_${Buffer.alloc(32, 'w').toString('base64')}`,
  path: 'path-that-only-the-receiver-knows',
  query: 'query-that-only-the-receiver-knows',
  collector: 'key-of-the-collector',
  client: 'secret-of-the-gateway-at-the-issuer',
  opaque: 'opaque-token-of-the-agent',
  metrics: 'token-of-the-metrics-0123456789abcdef',
}

const soon = { timeout: 60_000, interval: 50 }

let folder: string
let logged = ''
let slack: SlackServer
let idp: TokenIssuer
let upstream: CountingUpstream
let echo: Server
let echoed = 0
let gateway: RunningGateway

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
  slack = await startSlackServer()
  idp = await startTokenIssuer()
  upstream = await startCountingUpstream()
  // A receiver and a collector that repeat what they were sent, as badly written ones do.
  echo = createServer((request, response) => {
    echoed += 1
    const said = JSON.stringify({ url: request.url, headers: request.headers })
    response.writeHead(500, `no ${secrets.query}`, { 'x-echo': said }).end(said)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const elsewhere = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`
  mkdirSync(join(folder, 'policies'))
  writeFileSync(
    join(folder, 'policies', 'crm.yaml'),
    `rules:
  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }
  - name: refunds
    on: crm
    what: { http: { method: POST } }
    then: hold
    risk: critical
    approval: { from: { group: support-leads }, channels: ['slack:#approvals', 'webhook:siem'] }
`,
  )
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen: { agents: { address: 127.0.0.1:0 }, control: { address: 127.0.0.1:0 } }
data: ${await createDataFolder()}
secrets: { file: ${join(folder, 'secrets.json')} }
identity:
  issuers:
    - issuer: ${idp.issuer}
      audience: sallyport
      claims: { groups: groups, owner: agent_owner, kind: kind }
      introspection: { tokens: opaque, client_id: sallyport, client_secret: '${secrets.client}', cache: 1ms }
  login: { issuer: ${idp.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers }, auditor: { group: audit }, admin: { group: platform } }
resources:
  - name: crm
    protocol: http
    match: { prefix: /crm }
    upstream: ${upstream.url}
channels:
  slack: { team: ${slack.team}, bot_token: ${secrets.bot}, signing_secret: ${slack.signingSecret}, api_url: '${slack.apiUrl}' }
  webhooks: { siem: { url: '${elsewhere}/${secrets.path}?key=${secrets.query}', secret: '${secrets.webhook}' } }
telemetry: { traces: { endpoint: '${elsewhere}/v1/traces', headers: { x-api-key: ${secrets.collector} } } }
metrics: { token: ${secrets.metrics} }
`,
  )
  openSecrets(join(folder, 'secrets.json'))
  rotateSecrets(join(folder, 'secrets.json'))
  const log = createLog('debug', { write: (line) => void (logged += line) })
  gateway = await startGateway(loadConfig(file, {}), { log })
})

afterAll(async () => {
  await gateway.close()
  await Promise.all([slack.close(), idp.close(), upstream.close()])
  echo.close()
  echo.closeAllConnections()
  rmSync(folder, { recursive: true })
})

it('no secret of channels, issuers and collectors is in any log, answer, list or export', async () => {
  const seen: string[] = []
  const hear = async (asked: Promise<Response>) => {
    const answer = await asked
    seen.push(JSON.stringify([...answer.headers]), await answer.text())
    return answer.status
  }
  const people = gatewayClient(idp, () => gateway)
  const now = Math.floor(Date.now() / 1000)
  const agent = { sub: 'bot', aud: 'sallyport', exp: now + 300, agent_owner: 'priya' }
  idp.vouch(secrets.opaque, { ...agent, token_type: 'Bearer' })
  const call = (path: string, init: RequestInit = {}, token = secrets.opaque) =>
    fetch(`${gateway.agentsUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as object) },
    })

  expect(await hear(call('/crm/v1/customers'))).toBe(200)
  await hear(call('/crm/v1/customers', {}, `${secrets.opaque}x`))
  idp.setDown(true)
  await hear(call('/crm/v1/customers'))
  idp.setDown(false)
  // The issuer is left alone for a second after that.
  await expect.poll(async () => (await call('/crm/v1/customers')).status, soon).toBe(200)

  // Slack is away, then answers with an error, then comes back; whoever clicks meanwhile gets nowhere.
  slack.setTrouble({ status: 500 })
  expect(
    await hear(call('/crm/v1/refunds', { method: 'POST', headers: { prefer: 'wait=0' } })),
  ).toBe(403)
  await expect.poll(() => logged, soon).toContain('Slack answered with status 500')
  slack.setTrouble('none')
  const message = await slack.message(({ threadTs }) => threadTs === null)
  const press = (action: string) => {
    const { body, headers } = slack.sign(slack.pressed(message, action, 'U1'))
    return fetch(`${gateway.controlUrl}/slack/events`, { method: 'POST', headers, body })
  }
  await hear(press('sallyport_deny'))
  const told = await slack.ephemeral('U1', 0)
  const linkCode = /#\/link\/([\w-]+)/.exec(told.text)![1]!
  const code = `${linkCode}.${/type the code ([\w-]+)/.exec(told.text)![1]}`
  slack.setTrouble({ status: 500 })
  await hear(press('sallyport_deny'))
  await expect.poll(() => logged, soon).toContain('a click in Slack came to nothing')
  slack.setTrouble('none')
  const json = { 'content-type': 'application/json' }
  const link = { method: 'POST', headers: json, body: JSON.stringify({ code }) }
  await hear(people.person('noor', '/api/links/offer', link))
  await hear(people.person('noor', '/api/links', link))
  await expect.poll(() => echoed, soon).toBeGreaterThan(1)
  await expect.poll(() => logged, soon).toContain('a notice was not delivered')

  for (const path of [
    '/api/channels',
    '/api/links',
    '/api/approvals',
    '/api/policies',
    '/api/audit/events',
    '/api/audit/export?format=ndjson',
    '/api/audit/keys',
    '/api/openapi.json',
    '/metrics',
  ]) {
    await hear(people.person('dana', path))
  }

  const file = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as {
    newer: Record<string, string>[]
  }
  const keys = [file, ...file.newer].flatMap((it) =>
    Object.entries(it).flatMap(([name, value]) => (name.endsWith('_key') ? [String(value)] : [])),
  )
  expect(keys.length).toBeGreaterThan(5)
  const basic = Buffer.from(`sallyport:${secrets.client}`).toString('base64')
  const everything = `${logged}\n${seen.join('\n')}`
  for (const secret of [...Object.values(secrets), slack.signingSecret, linkCode, basic, ...keys]) {
    for (const part of [secret, secret.slice(0, -2), encodeURIComponent(secret)]) {
      const at = everything.indexOf(part)
      const around = everything.slice(Math.max(0, at - 300), at)
      expect(at, `${part.slice(0, 16)}… is to be seen behind: ${around}`).toBe(-1)
    }
  }
})
