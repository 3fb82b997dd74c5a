import { createHash, randomUUIDv7 } from 'node:crypto'
import { Holds } from '../../src/approvals/hold.ts'
import { Keyring } from '../../src/config/keyring.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { Action } from '../../src/core/action.ts'
import type { Person } from '../../src/core/person.ts'
import type { Subject } from '../../src/core/subject.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import type { GateContext } from '../../src/gate/context.ts'
import type { PoliciesInForce } from '../../src/gate/in-force/generations.ts'
import { Lines } from '../../src/gate/lines.ts'
import { Outcomes } from '../../src/gate/outcomes.ts'
import { rememberPerson } from '../../src/identity/people.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import type { Store } from '../../src/store/db.ts'
import { leaseTimes } from '../../src/store/lease.ts'
import { Sealer } from '../../src/store/sealer.ts'
import { quiet, startReplica } from './audit.ts'
import { DataUsage } from '../../src/usage/data-usage.ts'
import { atEnd } from './store.ts'

const issuer = 'https://idp.test'

/** The gate with everything behind it, and no protocol before it. It ends after the last test of the file. */
export async function openTestGate(
  store: Store,
  policies: string,
  announcing: GateContext['announcing'] = noChannels,
): Promise<GateContext> {
  const { lease, audit } = await startReplica(store)
  const holds = new Holds(store, quiet)
  await holds.start()
  const outcomes = new Outcomes(lease, quiet)
  const compiled = compileTestPolicies(policies, announcing.channels)
  atEnd(async () => {
    await holds.stop()
    await outcomes.close()
  })
  return {
    store,
    audit,
    holds,
    lines: new Lines(),
    lease,
    leaseTimes,
    outcomes,
    policies: () => compiled,
    catchUp: async () => {},
    limits: configSchema.shape.hold.parse({ max_per_subject: 10_000, max_per_hour: 100_000 }),
    trusts: () => true,
    sealer: new Sealer(new Keyring([{ key: Buffer.alloc(32, 's'), madeAt: new Date(0) }])),
    observed: new Set(),
    announcing,
    usage: new DataUsage(store, [], quiet),
    log: quiet,
  }
}

const noChannels = { channels: [], to: [], remindMs: undefined, escalate: undefined }

/** As before any generation, which is what a store without policies is in. Each of these channels is known with whatever place in it. */
export function compileTestPolicies(
  text: string,
  channels: readonly string[] = [],
): PoliciesInForce {
  const known = {
    resources: [{ name: 'crm', protocol: 'http', facts: [] }],
    channels: channels.map((name) => `${name}:`),
  }
  return { ...compilePolicies([{ file: 'policies.yaml', text }], known), generation: 0 }
}

const bot: Subject = {
  issuer,
  subject: 'refund-bot',
  kind: 'agent',
  groups: ['agents'],
  owner: { issuer, subject: 'priya' },
  chain: [],
  related: [],
  claims: {},
}

/** One try of the agent at a request: a new action each time, of the same payload as long as the note is the same. */
export function attemptAt(
  note: string,
  { path = '/v1/refunds', ...changes }: Partial<Attempt> & { path?: string } = {},
): Attempt {
  const action: Action = {
    id: randomUUIDv7(),
    name: 'http.request',
    subject: bot,
    resource: 'crm',
    effect: 'write',
    attributes: { http: { method: 'POST', path, query: {} } },
    summary: `POST ${path}`,
    agentReason: null,
    trace: null,
  }
  const digest = createHash('sha256').update(note).digest('hex')
  return {
    action,
    credential: { kind: 'jwt', id: 'token', expiresAt: Date.now() + 3_600_000 },
    binding: 'crm as it is bound',
    connection: null,
    seal: async () => ({ digest, payload: { note } }),
    waitMs: 0,
    caller: new AbortController().signal,
    approval: null,
    ...changes,
  }
}

/** Somebody who has come to the control plane. */
export function person(store: Store, subject: string, groups: readonly string[]): Promise<Person> {
  const known = { issuer, subject, name: subject, email: null, groups, identifiers: [subject] }
  return rememberPerson(store, known)
}
