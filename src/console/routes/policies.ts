import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { Action } from '../../core/action.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import { explain } from '../../policy/explain.ts'
import type { ControlServer } from '../context.ts'

const everyone = { roles: ['approver', 'auditor', 'admin'] } as const

const party = z.strictObject({ issuer: z.string(), subject: z.string() })

const question = z.strictObject({
  subject: z.strictObject({
    ...party.shape,
    kind: z.enum(['human', 'agent', 'service']).default('agent'),
    groups: z.array(z.string()).default([]),
    owner: z
      .union([party, z.strictObject({ group: z.string() })])
      .nullable()
      .default(null),
    chain: z.array(party).default([]),
    claims: z.record(z.string(), z.json()).default({}),
  }),
  action: z.strictObject({
    name: z.string().default('http.request'),
    resource: z.string(),
    effect: z.enum(['read', 'write', 'admin', 'unknown']).default('unknown'),
    attributes: z
      .record(z.string(), z.record(z.string(), z.json()))
      .describe('by protocol: {"http": {"method": "GET", "path": "/v1/orders"}}'),
    reason: z.string().nullable().default(null).describe('what the agent says it is for'),
  }),
})

const condition = z.object({
  key: z.string(),
  satisfied: z.boolean(),
  wants: z.string(),
  found: z.string(),
})

const explanation = z.object({
  decision: z.looseObject({ verdict: z.enum(['allow', 'deny', 'hold']), reason: z.string() }),
  rules: z.array(z.looseObject({ rule: z.string(), conditions: z.array(condition) })),
  change: z.array(z.string()),
})

/** The policies in force, as they were loaded, and why they decide as they do. */
export async function policyRoutes(
  app: ControlServer,
  { policies, observed }: { policies: () => CompiledPolicies; observed: readonly string[] },
): Promise<void> {
  app.get(
    '/api/policies',
    {
      config: { access: everyone },
      schema: {
        summary: 'The policies in force',
        response: {
          200: z.object({
            hash: z.string(),
            documents: z.array(z.object({ file: z.string(), text: z.string() })),
            observed: z
              .array(z.string())
              .describe('resources on which they are recorded, and not enforced'),
          }),
        },
      },
    },
    async () => {
      const { hash, documents } = policies()
      return {
        hash,
        documents: documents.map(({ file, text }) => ({ file, text })),
        observed: [...observed],
      }
    },
  )

  app.post(
    '/api/policies/explain',
    {
      config: { access: everyone },
      schema: {
        summary: 'What would be decided about an action, and why; nothing runs',
        body: question,
        response: { 200: explanation },
      },
    },
    async ({ body: { subject, action } }) => {
      const asked: Action = {
        id: randomUUIDv7(),
        name: action.name,
        subject: { ...subject, related: [] },
        resource: action.resource,
        effect: action.effect,
        attributes: action.attributes,
        summary: action.name,
        agentReason: action.reason,
        trace: null,
      }
      // Plain data by its own account; through JSON for the types.
      return JSON.parse(JSON.stringify(explain(asked, {}, policies()))) as z.infer<
        typeof explanation
      >
    },
  )
}
