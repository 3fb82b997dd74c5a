import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReplaySummary } from '../../src/gate/replay.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

const policies = {
  'models.yaml': `rules:
  - { name: ask, on: crm, what: { http: { method: POST } }, then: allow }
  - name: no-streams
    on: crm
    when: has(action.http.json.stream) && action.http.json.stream == true
    then: deny
    reason: UNCOUNTED
  - name: not-that-model
    on: crm
    what: { http: { json: { model: [gpt-old] } } }
    then: deny
  - name: reviewed
    on: crm
    what: { http: { path: /v1/reviewed } }
    then: hold
    approval: { from: { group: data-owners } }
`,
}

const said = 'what is the salary of alice@example.com?'
const questions = [
  { model: 'gpt-x', messages: [{ role: 'user', content: said }], max_tokens: 5 },
  { model: 'gpt-x', stream: true, stream_options: { include_usage: true }, input: said },
  {
    model: said,
    prompt: said,
    metadata: { said },
    n: null,
    [said]: true,
    stream_options: { [said]: true },
  },
  [said],
  said,
]

describe('a question to a model', () => {
  let upstream: CountingUpstream
  let gateway: TestGateway

  beforeAll(async () => {
    upstream = await startCountingUpstream()
    gateway = await startTestGateway({
      upstream: upstream.url,
      resource: 'usage: openai',
      policies,
    })
    for (const question of questions) await ask('/v1/chat/completions', question)
  })

  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })

  const ask = (path: string, question: unknown, more: Record<string, string> = {}) =>
    gateway.agent(`/crm${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more },
      body: JSON.stringify(question),
    })

  async function replayed(rule: string): Promise<ReplaySummary> {
    const from = new Date(Date.now() - 3_600_000).toISOString()
    const text = `rules: [{ name: ask, on: crm, what: { http: { method: POST } }, then: allow }, { name: d, on: crm, ${rule}, then: deny }]`
    const response = await gateway.person('dana', '/api/policies/replay', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from, documents: [{ file: 'models.yaml', text }] }),
    })
    const lines = (await response.text()).trimEnd().split('\n')
    return (JSON.parse(lines.at(-1)!) as { summary: ReplaySummary }).summary
  }

  test('is decided by all of it, and none of its text is on record', async () => {
    expect(upstream.arrived.map(({ body }) => JSON.parse(body) as unknown)).toContainEqual(
      questions[0],
    )
    const log = await gateway.auditLog()
    expect(log.join('\n')).not.toContain('salary')
    const decided = log
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'action.decided')
    const unknown = expect.stringContaining('question')
    expect(decided.map(({ decision }) => decision)).toEqual([
      'allow',
      'deny',
      'allow',
      'deny',
      'deny',
    ])
    expect(decided.map(({ attributes }) => attributes.http.json)).toEqual([
      { model: 'gpt-x', messages: { unknown }, max_tokens: 5 },
      { model: 'gpt-x', stream: true, stream_options: { include_usage: true }, input: { unknown } },
      {
        ...{ model: { unknown }, prompt: { unknown }, metadata: { unknown }, n: null },
        stream_options: { unknown },
      },
      { unknown },
      { unknown },
    ])
  })

  test('is replayed by what is on record, and not guessed at where that is not enough', async () => {
    const stream = 'when: has(action.http.json.stream) && action.http.json.stream == true'
    expect(await replayed(stream)).toMatchObject({ same: 3, different: 0, unrecorded: 2 })
    const short = 'what: { http: { json: { max_tokens: [5] } } }'
    expect(await replayed(short)).toMatchObject({ same: 1, different: 2, unrecorded: 2 })
    const long = 'when: has(action.http.json.messages) && size(action.http.json.messages) > 9'
    expect(await replayed(long)).toMatchObject({ same: 1, different: 1, unrecorded: 3 })
    const about = 'what: { http: { json: { messages: [x] } } }'
    expect(await replayed(about)).toMatchObject({ same: 1, different: 1, unrecorded: 3 })
  })

  test('is shown whole to people who decide about it, and is not in the log either', async () => {
    const asked = ask('/v1/reviewed', questions[0], { prefer: 'wait=60' })
    const approval = await gateway.pending()
    expect(JSON.stringify(approval.action.payload)).toContain('salary')
    await gateway.vote('omar', approval)
    expect((await asked).status).toBe(201)
    expect((await gateway.auditLog()).join('\n')).not.toContain('salary')
  })
})
