import { z } from 'zod'
import type { JsonValue } from '../core/json.ts'
import { showValue } from './show-value.ts'
import { visible } from '../core/visible.ts'

const json: z.ZodType<JsonValue> = z.json()
const party = z.object({ issuer: z.string(), subject: z.string() })
const group = z.object({ group: z.string() })
const eligible = z.union([group, z.object({ people: z.array(party) })])
const vote = z.looseObject({
  name: z.string(),
  decision: z.string(),
  reason: z.string().nullable(),
})

/** An approval, as the control plane's API gives it. */
export const approvalSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  action: z.looseObject({
    name: z.string(),
    subject: z.looseObject({
      issuer: z.string(),
      subject: z.string(),
      kind: z.string(),
      owner: z.union([party, group]).nullable(),
      chain: z.array(party),
    }),
    resource: z.string(),
    effect: z.string(),
    attributes: json,
    summary: z.string(),
    payload: json,
    digest: z.string(),
  }),
  rules: z.array(z.string()),
  risk: z.string(),
  reason: z.string(),
  agent_reason: z.string().nullable(),
  requirements: z.array(
    z.looseObject({
      from: eligible,
      quorum: z.number(),
      votes: z.array(vote),
    }),
  ),
  ran_before: z.looseObject({ id: z.string(), state: z.string() }).nullish(),
  data: z.looseObject({ datasets: z.array(z.string()), classes: z.array(z.string()) }).nullish(),
  first_use: z.array(z.string()).default([]),
  usage: z.record(z.string(), z.json()).nullish(),
  scope_options: z.array(
    z.union([
      z.literal('once'),
      z.object({
        session: z.literal(true).optional(),
        minutes: z.number(),
        match: z.array(z.string()),
      }),
    ]),
  ),
  break_glass: z.array(eligible),
  broken_glass: vote.nullable(),
  view_hash: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
})

export type ShownApproval = z.output<typeof approvalSchema>

/** An approval for a person, whole: nothing is cut, and nothing in it can act on the terminal. */
export function showApproval(approval: ShownApproval): string {
  const { action, requirements, ran_before, broken_glass } = approval
  const { subject } = action
  const lines: (readonly [string, string])[] = [
    ['approval', `${approval.id}  ${approval.state}`],
    ['action', `${action.name}  ${action.summary}`],
    ['agent', `${subject.subject}  (${subject.kind}, ${subject.issuer})`],
    ...subject.chain.map((actor) => ['acting', whom(actor)] as const),
    ['owner', subject.owner ? whom(subject.owner) : 'nobody known'],
    ['resource', `${action.resource}  (${action.effect})`],
    ['risk', approval.risk],
    ['because', `${approval.reason}  (${approval.rules.join(', ')})`],
    ['agent says', approval.agent_reason ?? 'nothing'],
    ...requirements.map(({ from, quorum, votes }) => {
      const yes = votes.filter(({ decision }) => decision === 'approve').length
      return ['needs', `${yes} of ${quorum} votes, from ${members(from)}`] as const
    }),
    ...(approval.break_glass.length > 0
      ? [['emergency', `alone: ${approval.break_glass.map(members).join(' and ')}`] as const]
      : []),
    ...(broken_glass
      ? [['ALONE', `${broken_glass.name} broke the glass: ${broken_glass.reason}`] as const]
      : []),
    ...(ran_before
      ? [['ran before', `the same action, as ${ran_before.id}: ${ran_before.state}`] as const]
      : []),
    ...usageLines(approval),
    ...approval.scope_options.flatMap((option) =>
      option === 'once' ? [] : [['may grant', grantText(option)] as const],
    ),
    ['expires', approval.expires_at],
    ['digest', action.digest],
  ]
  const head = lines.map(([label, text]) => `${label.padEnd(11)} ${visible(text)}`)
  return [...head, '', 'what would run:', ...showValue(action.payload)].join('\n')
}

function usageLines({ data, first_use, usage }: ShownApproval): (readonly [string, string])[] {
  const { datasets = [], classes = [] } = data ?? {}
  return [
    ...(datasets.length > 0
      ? [['data', `${datasets.join(', ')}  (${classes.join(', ') || 'no class'})`] as const]
      : []),
    ...first_use.map((item) => ['first time', `this agent touches ${item}`] as const),
    ...Object.entries(usage ?? {}).map(
      ([fact, value]) => ['so far', `${fact}: ${JSON.stringify(value)}`] as const,
    ),
  ]
}

/** What a grant covers is wider than one action, so it is said in words. */
function grantText({ session, minutes, match }: Grantable): string {
  const same =
    match.length > 0 ? `as long as ${match.join(', ')} stay the same` : 'exactly this action again'
  const until = session ? 'until this session ends, and ' : ''
  return `${until}for up to ${minutes} minutes: ${same}`
}

type Grantable = Exclude<ShownApproval['scope_options'][number], 'once'>

const members = (from: z.output<typeof eligible>): string =>
  'group' in from ? `members of ${from.group}` : from.people.map(whom).join(', ')

const whom = (owner: z.output<typeof party> | z.output<typeof group>): string =>
  'group' in owner ? `group ${owner.group}` : `${owner.subject}  (${owner.issuer})`
