import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { Action, Attributes } from '../../core/action.ts'
import { Problem } from '../../core/errors.ts'
import { gatewayItself } from '../../core/gateway-itself.ts'
import type { SubjectKind } from '../../core/subject.ts'
import { namespaces } from '../../policy/attributes.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import { decide } from '../../policy/decide.ts'
import type { ControlServer } from '../context.ts'

const party = z.object({ issuer: z.string(), subject: z.string() })
const properties = z.record(z.string(), z.json()).default({})

/** The subject's properties that policies can read. Others are ignored (§5.1). */
const subjectProperties = z.object({
  issuer: z.string().default(''),
  groups: z.array(z.string()).default([]),
  owner: z
    .union([party, z.object({ group: z.string() })])
    .nullable()
    .default(null),
  chain: z.array(party).default([]),
  claims: z.record(z.string(), z.json()).default({}),
})

const question = z.object({
  subject: z.object({
    type: z.string().describe('`user`, `agent` or `service`; whatever else it is, an agent'),
    id: z.string(),
    properties: subjectProperties.prefault({}),
  }),
  resource: z.object({
    type: z.string(),
    id: z.string().describe('the name of the resource in the configuration'),
    properties,
  }),
  action: z.object({
    name: z.string(),
    properties: properties.describe(
      'its attributes, by protocol: {"http": {"method": "GET", "path": "/v1/orders"}}',
    ),
  }),
  context: z
    .object({
      reason: z.string().nullable().default(null).describe('what the agent says it is for'),
    })
    .prefault({}),
})

const answer = z.object({
  decision: z.boolean(),
  context: z.object({
    verdict: z.enum(['allow', 'deny', 'hold']).describe('`hold`: people would have to approve it'),
    reason: z.string(),
    rules: z.array(z.string()),
    policy: z.string(),
  }),
})

const kinds: Record<string, SubjectKind> = { user: 'human', human: 'human', service: 'service' }

/**
 * The decision point for others (AuthZEN Authorization API 1.0, §6): what the policies say about an
 * action that somebody describes. Nothing runs and nothing is held. What the description leaves out
 * is unknown, and a rule that looks at it never allows.
 */
export async function evaluationRoutes(
  app: ControlServer,
  { policies }: { policies: () => CompiledPolicies },
): Promise<void> {
  app.post(
    '/access/v1/evaluation',
    {
      config: {
        access: {
          roles: ['approver', 'auditor', 'admin'],
          scope: 'policies:evaluate',
          changes: false,
        },
      },
      schema: {
        summary: 'Whether a subject may do something (AuthZEN)',
        body: question,
        response: { 200: answer },
      },
    },
    async ({ body, headers }, reply) => {
      // §10.1.4: a client finds the answer to its request by this.
      const id = headers['x-request-id']
      if (id !== undefined) reply.header('x-request-id', id)
      if (body.resource.id === gatewayItself) {
        const detail =
          'What is done to the gateway itself is decided by roles, which are not known here.'
        throw new Problem('bad-request', detail)
      }
      const { verdict, reason, rules, policy } = decide(actionOf(body), {}, policies())
      return {
        decision: verdict === 'allow',
        context: { verdict, reason, rules: [...rules], policy },
      }
    },
  )
}

function actionOf({ subject, resource, action, context }: z.output<typeof question>): Action {
  return {
    id: randomUUIDv7(),
    name: action.name,
    subject: {
      ...subject.properties,
      subject: subject.id,
      kind: kinds[subject.type] ?? 'agent',
      related: [],
    },
    resource: resource.id,
    effect: 'unknown',
    attributes: attributesOf(action.properties),
    summary: action.name,
    agentReason: context.reason,
    trace: null,
  }
}

/**
 * Those that policies know. The specification allows any property; an attribute that is missing is
 * unknown.
 */
function attributesOf(given: z.output<typeof properties>): Attributes {
  const known = Object.entries(given).filter(
    ([name, value]) =>
      name in namespaces && typeof value === 'object' && value !== null && !Array.isArray(value),
  )
  return Object.fromEntries(known) as Attributes
}
