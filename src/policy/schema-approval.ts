import { z } from 'zod'
import { expiry, text } from './schema-parts.ts'

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

const channels = z.array(
  z
    .string()
    .regex(/^[a-z]+(:\S+)?$/, 'Write a channel, as in: console, slack:#approvals or webhook:siem'),
)

/** `approval` of a hold rule: what it asks for. */
export const approval = z.strictObject({
  from: from.describe('who may approve'),
  quorum: z
    .int()
    .min(1)
    .prefault(1)
    .describe('distinct people; never the subject, its actors or its owners'),
  break_glass: z
    .strictObject({ from: from.describe('who') })
    .optional()
    .describe(
      'who may release one action alone in an emergency, whatever the quorum: with a reason, and loudly. Never the subject, its actors or its owners; of several hold rules, each has to offer it',
    ),
  expires: expiry.prefault('15m').describe('how long the request waits for them; at most 7d'),
  scope: z
    .array(scopeOption)
    .min(1)
    .prefault(['once'])
    .describe('what an approver may grant; wider than one action only if the rule says so'),
  channels: channels
    .default([])
    .describe(
      'where it is announced, besides the console; left out, where `channels.default` of the configuration says',
    ),
  remind: expiry
    .optional()
    .describe('how long before it expires the same places are reminded, if nobody has decided'),
  escalate: z
    .strictObject({
      after: expiry.describe('how long after the request'),
      to: channels.min(1).describe('where'),
    })
    .optional()
    .describe('where else it is announced, if nobody has decided by then'),
})
