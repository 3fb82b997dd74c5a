import type { Action, Attribute } from '../../src/core/action.ts'
import { formatMistake, MistakesError } from '../../src/core/errors.ts'
import type { Subject } from '../../src/core/subject.ts'
import type { KnownResource } from '../../src/policy/attributes.ts'
import { compilePolicies, type CompiledPolicies } from '../../src/policy/compile.ts'
import { decide } from '../../src/policy/decide.ts'
import type { Facts } from '../../src/policy/input.ts'
import type { Known } from '../../src/policy/known.ts'

export const resources: readonly KnownResource[] = [
  { name: 'crm', protocol: 'http', facts: [] },
  { name: 'crm-staging', protocol: 'http', facts: [] },
  { name: 'orders-db', protocol: 'postgres', facts: ['impact.rows'] },
  { name: 'files', protocol: 'mcp', facts: [] },
  { name: 'cache', protocol: 'tcp', facts: [] },
]

export function compile(text: string, known: Known = { resources }): CompiledPolicies {
  return compilePolicies([{ file: 'policies/a.yaml', text }], known)
}

/** Everything that is wrong with a file, as people see it. */
export function mistakesIn(text: string, known?: Known): string {
  try {
    compile(text, known)
  } catch (error) {
    if (error instanceof MistakesError) return error.mistakes.map(formatMistake).join('\n')
    throw error
  }
  return 'no mistakes'
}

const issuer = 'https://idp.example.com'

const agent: Subject = {
  issuer,
  subject: 'support-agent',
  kind: 'agent',
  groups: ['agents'],
  owner: { issuer, subject: 'priya' },
  chain: [],
  related: [],
  claims: {},
}

interface Doing {
  readonly by?: Partial<Subject>
  readonly on?: string
  readonly http?: Readonly<Record<string, Attribute>>
  readonly sql?: Readonly<Record<string, Attribute>>
  readonly mcp?: Readonly<Record<string, Attribute>>
  readonly effect?: Action['effect']
  readonly says?: string
}

export function action({ by, on, http, sql, mcp, effect, says }: Doing): Action {
  return {
    id: '0190a000-0000-7000-8000-000000000000',
    name: 'test',
    subject: { ...agent, ...by },
    resource: on ?? (sql ? 'orders-db' : mcp ? 'files' : 'crm'),
    effect: effect ?? 'unknown',
    attributes: { ...(http && { http }), ...(sql && { sql }), ...(mcp && { mcp }) },
    summary: 'a test',
    agentReason: says ?? null,
    trace: null,
  }
}

/** `allow`, `hold by pii-exports`, `deny by no-rule-matched`: the verdict, and the rules or else the reason that it rests on. */
export function outcome(policies: CompiledPolicies, doing: Doing, facts: Facts = {}): string {
  const { verdict, rules, reason } = decide(action(doing), facts, policies)
  return `${verdict} by ${rules.length > 0 ? rules.join(', ') : reason}`
}
