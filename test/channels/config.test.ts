import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { loadConfig } from '../../src/config/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-channels-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

const login = 'identity: { login: { issuer: https://idp.test, client_id: console } }'
const slack = 'team: T0123, bot_token: xoxb-1, app_token: xapp-1'
const teams =
  'tenant: 11111111-2222-4333-8444-555555555555, app_id: 66666666-7777-4888-9999-000000000000, client_secret: 0123456789abcdef'
const secret = `whsec_${Buffer.alloc(24).toString('base64')}`

/** What is wrong with these channels. */
function mistakesOf(channels: string, identity = login): string {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `${identity}
resources: [{ name: crm, protocol: http, match: { prefix: /crm }, upstream: 'https://crm.test' }]
channels: ${channels}
`,
  )
  try {
    loadConfig(file, {})
    return 'no mistakes'
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.message
  }
}

test.each([
  ['Slack over Socket Mode', `{ default: { to: ['slack:#a', console] }, slack: { ${slack} } }`],
  ['Teams', `{ default: { to: ['teams:data-people/approvals'] }, teams: { ${teams} } }`],
  ['Teams of the US government', `{ teams: { ${teams}, cloud: gcc-high } }`],
  [
    'a webhook',
    `{ default: { to: ['webhook:x'] }, webhooks: { x: { url: 'https://x.test', secret: ${secret} } } }`,
  ],
  [
    'a webhook on this machine',
    `{ webhooks: { x: { url: 'http://127.0.0.1', secret: ${secret} } } }`,
  ],
  ['nothing', '{}'],
])('%s can be set up', (_, channels) => {
  expect(mistakesOf(channels)).toBe('no mistakes')
})

test.each([
  [
    'a place in a channel that is not there',
    `{ default: { to: ['slack:#a'] } }`,
    'There is no channel "slack:#a"',
  ],
  [
    'Slack as a whole',
    `{ default: { to: [slack] }, slack: { ${slack} } }`,
    'There is no channel "slack"',
  ],
  [
    'an escalation to nowhere',
    `{ default: { escalate: { after: 5m, to: ['webhook:x'] } } }`,
    'There is no channel "webhook:x"',
  ],
  [
    'both ways for clicks',
    `{ slack: { ${slack}, signing_secret: 0123456789abcdef } }`,
    'one of them',
  ],
  ['no way for clicks', '{ slack: { team: T0123, bot_token: xoxb-1 } }', 'one of them'],
  [
    'a token of another kind',
    `{ slack: { team: T0123, bot_token: xoxp-1, app_token: xapp-1 } }`,
    'xoxb-',
  ],
  [
    'Teams without a secret',
    `{ teams: { ${teams.replace(/, client_secret.*/, '')} } }`,
    'client_secret',
  ],
  [
    'Teams of every tenant',
    `{ teams: { ${teams.replace(/[\d-]{36}/, 'common')} } }`,
    'the directory (tenant): a UUID',
  ],
  [
    'Teams over http',
    `{ teams: { ${teams}, endpoints: { login: 'http://login.test' } } }`,
    'over http://',
  ],
  ['Slack over http', `{ slack: { ${slack}, api_url: 'http://slack.test/api/' } }`, 'over http://'],
  [
    'a webhook over http',
    `{ webhooks: { x: { url: 'http://x.test', secret: ${secret} } } }`,
    'over http://',
  ],
  [
    'a short secret',
    `{ webhooks: { x: { url: 'https://x.test', secret: whsec_MTIz } } }`,
    '24 random bytes',
  ],
  [
    'a secret that is no Base64',
    `{ webhooks: { x: { url: 'https://x.test', secret: ${secret}A } } }`,
    'Base64',
  ],
])('%s is a mistake', (_, channels, said) => {
  expect(mistakesOf(channels)).toContain(said)
})

test.each([
  ['Slack', `{ slack: { ${slack} } }`],
  ['Teams', `{ teams: { ${teams} } }`],
])('%s without a login is a mistake: nobody could say who they are', (title, channels) => {
  const said = mistakesOf(channels, 'identity: {}')
  expect(said).toContain(`Nobody can vote from ${title}`)
  expect(said).toContain('Add identity.login')
})

test('a mistake never quotes a secret', () => {
  const text = mistakesOf(
    `{ slack: { team: nowhere, bot_token: my-own-secret, app_token: other-secret } }`,
  )
  expect(text).not.toMatch(/my-own-secret|other-secret/)
})
