import { z } from 'zod'
import { decisionReasons } from '../core/reasons.ts'
import { list, text } from './schema-parts.ts'

/** A file `*.test.yaml`: actions, and the decision that each must get. */

/** Whose subjects the tests are about, unless they say so. */
const someIssuer = 'https://idp.example.com'

const party = z.union(
  [
    text.transform((subject) => ({ issuer: someIssuer, subject })),
    z.strictObject({ issuer: text.prefault(someIssuer), subject: text }),
  ],
  'Write a name, or { issuer: …, subject: … }.',
)

const subject = z.strictObject({
  issuer: text.prefault(someIssuer),
  subject: text.optional().describe('its `sub`; its name in this file if left out'),
  kind: z.enum(['human', 'agent', 'service']).prefault('agent'),
  groups: z.array(text).default([]),
  owner: z
    .union([party, z.strictObject({ group: text })], 'Write a name, or { group: … }.')
    .nullable()
    .default(null)
    .describe('who answers for it; without one, nothing that it does can be approved'),
  chain: z
    .array(party)
    .default([])
    .describe('the actors of its `act` claim, the current one first'),
  claims: z.record(z.string(), z.json()).default({}),
})

const attributes = z.record(z.string(), z.json())

const testCase = z.strictObject({
  name: text.describe('what it shows'),
  subject: text.describe('who acts: one of `subjects`'),
  on: text.describe('the resource'),
  http: attributes.optional().describe('method, path, query, headers, json'),
  sql: attributes.optional().describe('verb, tables, columns, functions'),
  mcp: attributes.optional().describe('tool, args'),
  tcp: attributes.optional(),
  admin: attributes.optional().describe('operation, target; on: sallyport'),
  unknown: list(z.string().regex(/^[a-z]+\.[a-z_]+$/, 'Write an attribute, as in: http.json'))
    .default([])
    .describe('attributes that the gateway could not compute'),
  effect: z.enum(['read', 'write', 'admin', 'unknown']).prefault('unknown'),
  says: text.optional().describe('what the agent gives as its reason'),
  facts: z.record(z.string(), attributes).default({}).describe('as in { impact: { rows: 1200 } }'),
  decision: z.enum(['allow', 'deny', 'hold']).describe('what must come out'),
  rules: list(text).optional().describe('the rules that it must rest on, if that matters'),
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$|^[a-z-]+$/)
    .refine((code) => /^[A-Z]/.test(code) || code in decisionReasons, {
      error: `Write the reason of a rule, or ${Object.keys(decisionReasons).join(', ')}.`,
    })
    .optional()
    .describe('the reason code that it must have, if that matters'),
})

export const testFileSchema = z.strictObject({
  subjects: z.record(z.string(), subject).describe('who acts in these tests, by name'),
  tests: z.array(testCase).min(1).describe('actions, and the decision that each must get'),
})

export type TestFile = z.output<typeof testFileSchema>
export type TestCase = z.output<typeof testCase>
export type TestSubject = z.output<typeof subject>
