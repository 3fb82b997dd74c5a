import { z } from 'zod'
import type { Wanted } from './conditions/fields.ts'
import { expiry, list, text } from './schema-parts.ts'

/**
 * The policy language. This schema is its manual: every key says what it does, and `schema/policy.json` is generated from it for
 * editors. No key is accepted that has no effect.
 */

const namedOwner = z.union(
  [text, z.strictObject({ group: text.describe('every member of this group') })],
  'Write a name, or { group: … }.',
)

const who = z.strictObject({
  group: list(text).optional().describe('the subject is in one of these groups'),
  kind: list(z.enum(['human', 'agent', 'service']))
    .optional()
    .describe('what is acting'),
  subject: list(text)
    .optional()
    .describe(
      'by the `sub` of the credential. Allow: the subject and every actor in its chain are listed; hold and deny: any of them is',
    ),
  issuer: list(text)
    .optional()
    .describe('who issued those identities; a subject is unique within its issuer only'),
  owner: list(namedOwner).optional().describe('the person or the group that owns the agent'),
  acting_for: list(namedOwner)
    .optional()
    .describe('the person whose token the agent presents, else its owner'),
})

const method = z.string().regex(/^[A-Z]+$/, 'Write a method in capitals, as in: GET')

const path = z
  .string()
  .regex(/^\/[^?#\s]*$/, 'Write a path from the first slash on, without a query: /v1/orders/:id')
  .refine((glob) => (glob.match(/(^|\/)\*\*(?=\/|$)/g) ?? []).length <= 1, {
    error: 'A path can have one `**` at most. Write two rules.',
  })
  .refine((glob) => glob.split('/').every(isSegment), {
    error: 'A segment can be `**`, or have one `*`.',
  })

function isSegment(segment: string): boolean {
  return segment === '**' || segment.split('*').length <= 2
}

const name = text.refine((value) => value.split('*').length <= 2, {
  error: 'A name can have one `*` at most.',
})

const scalar = z.union(
  [
    z.string(),
    z.boolean(),
    z.null(),
    z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
      error: 'This number is too large to be compared exactly.',
    }),
  ],
  'Write a text, a number, true, false or null.',
)

const wanted: z.ZodType<Wanted> = z.lazy(() =>
  z.union([list(scalar), fields], 'Write a value, a list of values, or fields of an object.'),
)

const fields = z
  .record(z.string(), wanted)
  .refine((value) => Object.keys(value).length > 0, { error: 'Name at least one field.' })

const what = z.strictObject({
  http: z
    .strictObject({
      method: list(method)
        .optional()
        .describe('hold and deny rules ignore case, and take HEAD for GET'),
      path: list(path)
        .optional()
        .describe(
          'the path below the prefix of the resource. `:name` and `*` stand for one segment, `*.csv` for part of one, `**` for any number of them',
        ),
      query: z
        .record(z.string(), list(z.string('Parameters are texts: write it in quotes.')))
        .optional()
        .describe('parameters, and the values that they may have'),
      json: fields
        .optional()
        .describe('fields of the JSON body, and the values that they may have'),
    })
    .optional()
    .describe('an HTTP request'),
  sql: z
    .strictObject({
      verb: list(text).optional().describe('what the statement does: select, insert, copy …'),
      tables: list(name).optional().describe('tables that it touches'),
      columns: list(name).optional().describe('columns that it reads or writes'),
      functions: list(name).optional().describe('functions that it calls'),
    })
    .optional()
    .describe('an SQL statement'),
  mcp: z
    .strictObject({
      tool: list(name).optional().describe('the tool that is called'),
      args: fields.optional().describe('its arguments, and the values that they may have'),
    })
    .optional()
    .describe('an MCP tool call'),
  tcp: z.strictObject({}).optional().describe('a TCP connection'),
})

const party = z.strictObject({
  issuer: text.describe('whose identity it is'),
  subject: text.describe('its `sub`'),
})

const from = z.union(
  [
    z.strictObject({ group: text.describe('every member of this group') }),
    z.strictObject({ people: z.array(party).min(1).describe('exactly these') }),
    party.transform((one) => ({ people: [one] })),
  ],
  'Write { group: … }, { people: [{ issuer: …, subject: … }] } or { issuer: …, subject: … }.',
)

const match = z
  .array(z.string().regex(/^[a-z]+\.[a-z_]+$/, 'Write an attribute, as in: http.path'))
  .default([])
  .describe('what has to be the same in later actions; nothing listed means: all of it')

const scopeOption = z.union(
  [
    z.literal('once').transform(() => ({ kind: 'once' as const })),
    z
      .strictObject({
        minutes: z.int().min(1).max(10_080).describe('how long from the approval on'),
        match,
      })
      .transform((option) => ({
        kind: 'minutes' as const,
        ...option,
      })),
    z
      .strictObject({ session: z.literal(true).describe('as long as the connection lives'), match })
      .transform((option) => ({
        kind: 'session' as const,
        match: option.match,
      })),
  ],
  'Write once, { minutes: 15, match: [http.path] } or { session: true, match: [http.path] }.',
)

const approval = z.strictObject({
  from: from.describe('who may approve'),
  quorum: z
    .int()
    .min(1)
    .prefault(1)
    .describe('distinct people; never the subject, its actors or its owners'),
  expires: expiry.prefault('15m').describe('how long the request waits for them; at most 7d'),
  scope: z
    .array(scopeOption)
    .min(1)
    .prefault(['once'])
    .describe('what an approver may grant; wider than one action only if the rule says so'),
  channels: z
    .array(
      z.string().regex(/^[a-z]+(:\S+)?$/, 'Write a channel, as in: console or slack:#approvals'),
    )
    .default([])
    .describe('where it is announced, besides the console'),
})

export const ruleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'Use lower-case letters, digits and dashes.')
      .describe('unique over all files; it is what people and the audit log see'),
    description: text
      .optional()
      .describe('why there is this rule, for the people who meet it in an explanation'),
    who: who.optional().describe('whose actions; anybody’s if left out'),
    on: list(text).describe('the resource, by name or by a glob such as `crm-*`; or several'),
    what: what.optional().describe('which actions; all if left out'),
    when: text
      .optional()
      .describe('a condition in CEL over action, subject and facts, checked when it is loaded'),
    then: z.enum(['allow', 'deny', 'hold']).describe('deny beats hold beats allow'),
    risk: z
      .enum(['low', 'medium', 'high', 'critical'])
      .prefault('medium')
      .describe('shown to approvers; of several rules, the reason of the riskiest is reported'),
    reason: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/, 'Write a code in capitals, as in: PII_EXPORT')
      .optional()
      .describe('the reason code of decisions that rest on this rule'),
    approval: approval.optional().describe('what a hold rule asks for'),
  })
  .meta({
    // For editors. With its place and a remedy, check-rule.ts says the same.
    if: { properties: { then: { const: 'hold' } }, required: ['then'] },
    then: { required: ['approval'] },
    else: { properties: { approval: false } },
  })

const policyFileSchema = z.strictObject({
  rules: z.array(ruleSchema).describe('in any order: deny beats hold beats allow'),
})

export type RuleSource = z.output<typeof ruleSchema>

/** JSON Schema (2020-12) of a policy file, for editors. */
export function policyJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(policyFileSchema, { io: 'input' })
  return { ...schema, title: 'Sallyport policy' }
}
