import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { Action } from '../../core/action.ts'
import { MistakesError, Problem } from '../../core/errors.ts'
import type { ActivePolicies } from '../../gate/in-force/active-policies.ts'
import type { GateContext } from '../../gate/context.ts'
import { authorizeChange } from '../../gate/governing/policy-errand.ts'
import { subjectOfPerson } from '../../identity/people.ts'
import { explain } from '../../policy/explain.ts'
import type { PolicyDocument } from '../../policy/read-rules.ts'
import { runPolicyTests } from '../../policy/test-runner.ts'
import { personOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { waiting, waitingForPeople } from '../waiting.ts'

/** The largest proposal, in bytes. */
export const largestProposal = 8 * 1024 * 1024

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

interface PolicyRoutesDeps {
  readonly policies: ActivePolicies
  readonly gate: GateContext
  readonly observed: readonly string[]
  /** The tests beside the policy files of this replica. */
  readonly tests: () => Promise<readonly PolicyDocument[]>
}

const document = z.object({ file: z.string(), text: z.string() })

/** All files of a folder of policies, as a request contains them. */
export const proposedDocuments = z
  .array(
    z.strictObject({
      file: z
        .string()
        .regex(/^[^/\\\p{C}\p{Zl}\p{Zp}]+\.yaml$/u, 'Write the name of a file, as in: crm.yaml'),
      text: z.string(),
    }),
  )
  .min(1)

/**
 * Shows the policies in force as they were loaded, explains their decisions, and takes proposals
 * for others.
 */
export async function policyRoutes(
  app: ControlServer,
  { policies, gate, observed, tests }: PolicyRoutesDeps,
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
            generation: z
              .int()
              .describe('how often others came into force; the same on all replicas'),
            documents: z.array(document),
            observed: z
              .array(z.string())
              .describe('resources on which they are recorded, and not enforced'),
          }),
        },
      },
    },
    async () => {
      const { hash, generation, documents } = policies.current
      return {
        hash,
        generation,
        documents: documents.map(({ file, text }) => ({ file, text })),
        observed: [...observed],
      }
    },
  )

  app.get(
    '/api/policies/tests',
    {
      config: { access: everyone },
      schema: {
        summary: 'How the tests beside the policies come out against those in force',
        response: {
          200: z.object({
            results: z.array(
              z.object({
                file: z.string(),
                line: z.int(),
                name: z.string(),
                passed: z.boolean(),
                differences: z.array(z.string()),
              }),
            ),
            mistakes: z
              .array(z.looseObject({ file: z.string(), message: z.string() }))
              .describe('why tests could not be run'),
          }),
        },
      },
    },
    async () => {
      try {
        const results = runPolicyTests(await tests(), policies.current)
        return {
          results: results.map(({ file, line, name, passed, differences }) => ({
            ...{ file, line, name, passed },
            differences: [...differences],
          })),
          mistakes: [],
        }
      } catch (error) {
        if (!(error instanceof MistakesError)) throw error
        return { results: [], mistakes: error.mistakes.map((mistake) => ({ ...mistake })) }
      }
    },
  )

  app.post(
    '/api/policies/proposals',
    {
      config: { access: { roles: ['admin'] } },
      bodyLimit: largestProposal,
      schema: {
        summary:
          'Puts other policies into force, for all replicas, or asks the people whom a rule names',
        body: z.strictObject({
          documents: proposedDocuments.describe(
            'all policy files; what is not in them is not in force any more',
          ),
        }),
        response: {
          200: z.object({ hash: z.string(), generation: z.int() }),
          202: waitingForPeople.extend({ hash: z.string() }),
        },
      },
    },
    async (request, reply) => {
      const subject = subjectOfPerson(personOf(request))
      const { hash, generation, approval } = await policies
        .propose(request.body.documents, authorizeChange(gate, subject), subject)
        .catch((error: unknown) => {
          if (!(error instanceof MistakesError)) throw error
          const mistakes = error.mistakes.map((mistake) => ({ ...mistake }))
          throw new Problem('bad-request', `These policies have mistakes. ${error.message}`, {
            mistakes,
          })
        })
      if (approval) return reply.code(202).send({ ...waiting(approval), hash })
      return reply.code(200).send({ hash, generation })
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
      // It is plain data already; JSON only makes the types fit.
      return JSON.parse(JSON.stringify(explain(asked, {}, policies.current))) as z.infer<
        typeof explanation
      >
    },
  )
}
