import { decided, completed } from '../../src/gate/events.ts'
import type { Action, Effect } from '../../src/core/action.ts'
import type { Decision } from '../../src/core/decision.ts'
import type { EventInput } from '../../src/core/event.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Subject } from '../../src/core/subject.ts'
import { randomFrom } from '../../test/support/random.ts'

/** An event of a made-up month, and when it happened. */
export interface Happening {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly input: EventInput
  /** Written in somebody's transaction, and linked afterwards. */
  readonly edge: boolean
}

const issuer = 'https://example.okta.com/oauth2/default'
const policy = 'd3b07384d113edec49eaa6238ad5ff00c9bf9b8ab3d6f1c6b2f2a0f4d7e1c9a5'
const towns = 'Oslo Bergen Trondheim Malmö Aarhus Turku Reykjavík Narvik Visby Tartu'.split(' ')
const words =
  'invoice refund shipment warranty upgrade downgrade renewal churn onboarding complaint duplicate fraud escalation audit backfill migration forecast reconciliation'.split(
    ' ',
  )
const tables = ['orders', 'order_items', 'customers', 'invoices', 'payments', 'sessions', 'tickets']
const approvers = Array.from({ length: 12 }, (_, i) => `lead-${i + 1}`)

export const subjectNames = Array.from({ length: 200 }, (_, i) => `agent-${i + 1}`)
export const resourceNames = Array.from({ length: 30 }, (_, i) =>
  i % 3 === 2 ? `db-${i + 1}` : i % 3 === 1 ? `api-${i + 1}` : `crm-${i + 1}`,
)

const subjects = subjectNames.map((name, i): Subject => ({
  issuer,
  subject: name,
  kind: i % 9 === 8 ? 'service' : 'agent',
  groups: ['agents', `team-${i % 14}`],
  owner: { issuer, subject: `owner-${i % 40}` },
  chain: [],
  related: [{ issuer, subject: `client-${i}` }],
  claims: { scope: 'gateway' },
}))

/** What agents, gateways and people do in a span: `count` events in the order of time. */
export function* history(
  count: number,
  { from, to, seed }: { from: number; to: number; seed: number },
): Generator<Happening> {
  const random = randomFrom(seed)
  const upTo = (n: number) => Math.floor(random() * n)
  const one = <T>(of: readonly T[]): T => of[upTo(of.length)]!
  // Few do most of it.
  const oneOfFew = <T>(of: readonly T[]): T => of[Math.floor(random() ** 2 * of.length)]!
  const hex = (digits: number) => {
    let text = ''
    while (text.length < digits)
      text += Math.floor(random() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
  const step = (to - from) / count
  const later = new Map<number, { input: EventInput; edge: boolean }[]>()
  let made = 0

  const soon = (steps: number, input: EventInput, edge = false) => {
    const at = made + 1 + upTo(steps)
    const list = later.get(at)
    if (list) list.push({ input, edge })
    else later.set(at, [{ input, edge }])
  }

  const id = (at: number) => {
    const time = Math.floor(at).toString(16).padStart(12, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${'89ab'[upTo(4)]}${hex(3)}-${hex(12)}`
  }

  function act(subject: Subject, trace: string, at: number): EventInput {
    const resource = oneOfFew(resourceNames)
    const sql = resource.startsWith('db-')
    const { effect, attributes, summary } = sql ? statement() : request(resource)
    const action: Action = {
      ...{ id: id(at), name: sql ? 'sql.statement' : 'http.request', subject, resource, effect },
      ...{ attributes, summary, trace },
      agentReason: random() < 0.1 ? `Ticket ${upTo(90_000)}: ${one(words)} in ${one(towns)}` : null,
    }
    return decide(action, at)
  }

  function decide(action: Action, at: number): EventInput {
    const dice = random()
    const rule = `${action.effect}s-on-${action.resource}`
    const verdict = (
      verdict: Decision['verdict'],
      reason: string,
      rules: readonly string[],
    ): Decision => ({ verdict, reason, rules, policy, requirements: [] })
    if (dice < 0.03) {
      const [reason, rules] =
        dice < 0.02 ? ['no-rule-matched', []] : ['rule-denied', ['no-exports-at-night']]
      return decided(action, verdict('deny', reason, rules), undefined)
    }
    if (dice < 0.045) {
      const decision = verdict('hold', dice < 0.032 ? 'PII_EXPORT' : 'rule-held', [
        'customer-exports-need-two-owners',
        rule,
      ])
      return hold(action, decision, at)
    }
    const failed = random() < 0.02
    const outcome =
      action.name === 'sql.statement' ? { rows: upTo(400) } : { status: failed ? 503 : 200 }
    soon(
      6,
      completed(action, {
        result: failed ? 'failed' : 'succeeded',
        ...outcome,
        bytes: upTo(60_000),
        duration_ms: upTo(900),
      }),
    )
    return decided(action, verdict('allow', 'rule-allowed', [rule]))
  }

  function hold(action: Action, decision: Decision, at: number): EventInput {
    const approval = id(at)
    const digest = hex(64)
    const about = {
      action: { id: action.id, name: action.name },
      resource: action.resource,
      digest,
      approval,
    }
    const by = { issuer, subject: one(approvers) }
    const person: Subject = {
      ...by,
      kind: 'human',
      groups: ['data-owners'],
      owner: null,
      chain: [],
      related: [],
      claims: {},
    }
    soon(
      1,
      {
        ...about,
        type: 'approval.requested',
        subject: action.subject,
        effect: action.effect,
        trace: action.trace!,
        decision: 'hold',
        reason: decision.reason,
        rules: decision.rules,
        policy,
        details: { view_hash: hex(64) },
      },
      true,
    )
    const denied = random() < 0.2
    const vote: JsonObject = {
      vote: denied ? 'deny' : 'approve',
      channel: one(['slack', 'console', 'teams']),
      reason: `${one(words)} checked`,
    }
    soon(900, { ...about, type: 'approval.voted', subject: person, details: vote }, true)
    soon(
      900,
      {
        ...about,
        type: 'approval.resolved',
        subject: action.subject,
        effect: action.effect,
        trace: action.trace!,
        reason: denied ? 'denied' : 'approved',
        policy,
        details: { state: denied ? 'denied' : 'approved', by },
      },
      true,
    )
    if (!denied) {
      soon(
        1_800,
        {
          ...about,
          type: 'action.dispatched',
          subject: action.subject,
          effect: action.effect,
          trace: action.trace!,
          decision: 'hold',
          reason: decision.reason,
          rules: decision.rules,
          policy,
        },
        true,
      )
      soon(
        1_900,
        completed(
          action,
          { result: 'succeeded', status: 200, bytes: upTo(9_000), duration_ms: upTo(3_000) },
          approval,
        ),
      )
    }
    return decided(action, decision, digest, approval)
  }

  function request(resource: string): Pick<Action, 'effect' | 'attributes' | 'summary'> {
    const [method, effect] = one<[string, Effect]>([
      ['GET', 'read'],
      ['GET', 'read'],
      ['GET', 'read'],
      ['POST', 'write'],
      ['PATCH', 'write'],
      ['DELETE', 'write'],
    ])
    const path = `/v1/${one(['customers', 'orders', 'refunds', 'chat/completions', 'tickets'])}/${upTo(2_000_000)}`
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'openai-python/2.8.1',
    }
    const http = {
      method,
      host: `${resource}.internal`,
      path,
      query: { q: random() < 0.3 ? [`${one(words)} ${one(towns)}`] : [] },
      headers,
      upgrade: '',
    }
    return { effect, attributes: { http }, summary: `${method} ${path}` }
  }

  function statement(): Pick<Action, 'effect' | 'attributes' | 'summary'> {
    const table = oneOfFew(tables)
    const [verb, effect, text] = one<[string, Effect, string]>([
      [
        'select',
        'read',
        `SELECT id, total, note FROM ${table} WHERE customer_id = ${upTo(2_000_000)} AND city = '${one(towns)}' ORDER BY created_at DESC LIMIT 50`,
      ],
      [
        'select',
        'read',
        `SELECT count(*) FROM ${table} WHERE note LIKE '%${one(words)}%' AND id > ${upTo(2_000_000)}`,
      ],
      [
        'update',
        'write',
        `UPDATE ${table} SET note = '${one(words)} ${one(words)}' WHERE id = ${upTo(2_000_000)}`,
      ],
    ])
    const sql = {
      verb: [verb],
      tables_read: [table],
      tables_written: effect === 'write' ? [table] : [],
      columns: ['id', 'note', 'city'],
      functions: verb === 'select' ? ['count'] : [],
      has_where: true,
      limit: 50,
      database: 'orders',
      user: 'agent',
    }
    return { effect, attributes: { sql }, summary: text }
  }

  const runs = Array.from({ length: 64 }, () => ({ subject: oneOfFew(subjects), trace: hex(32) }))
  for (; made < count;) {
    const at = Math.round(from + made * step)
    const due = later.get(made)
    if (due) {
      later.delete(made)
      const [first, ...rest] = due
      if (rest.length > 0) later.set(made + 1, [...rest, ...(later.get(made + 1) ?? [])])
      made += 1
      yield { at, ...first! }
      continue
    }
    const place = upTo(runs.length)
    const run = runs[place]!
    const input =
      made % 50_000 === 0
        ? { type: 'policy.loaded' as const, policy }
        : act(run.subject, run.trace, at)
    if (random() < 0.08) runs[place] = { subject: oneOfFew(subjects), trace: hex(32) }
    made += 1
    yield { at, input, edge: input.decision === 'hold' }
  }
}
