import { z } from 'zod'
import { approval } from './schema-approval.ts'
import { list, text } from './schema-parts.ts'
import { what } from './schema-what.ts'

/**
 * The policy language. This schema is its manual: every key says what it does, and
 * `schema/policy.json` is generated from it for editors. No key is accepted that has no effect.
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
