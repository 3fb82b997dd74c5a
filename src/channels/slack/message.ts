import type { Notice, Story } from '../../gate/notice.ts'
import { ballotOf } from './ballot-value.ts'
import {
  buttons,
  code,
  countdown,
  cut,
  escape,
  fields,
  header,
  limits,
  paragraph,
  type Block,
  type Button,
} from './blocks.ts'

/** Names of the buttons. */
export const actions = {
  approve: 'sallyport_approve',
  approveMinutes: 'sallyport_approve_minutes',
  deny: 'sallyport_deny',
  open: 'sallyport_open',
} as const

/** What one message may hold of an action: beyond it Slack folds the end away, and what nobody has seen nobody can approve. */
const most = { characters: 3000, lines: 80, parts: 20 } as const

export interface Message {
  /** For notifications, and for clients that show no blocks. */
  readonly text: string
  readonly blocks: Block[]
}

/** Everything that an approver is to see, in the state that it is in. */
export function messageOf(notice: Pick<Notice, 'story' | 'link' | 'purpose'>): Message {
  const { story, link, purpose } = notice
  const whole = isWhole(story)
  const title = titleOf(story, purpose === 'escalate')
  const blocks: Block[] = [
    header(title),
    fields(factsOf(story)),
    ...(story.agentReason === null
      ? []
      : [paragraph(`The agent says (nobody has checked it): ${story.agentReason}`)]),
    ...(story.ranBefore === null
      ? []
      : [paragraph(`The same action ran before, and that run is: ${story.ranBefore}.`)]),
    ...(whole ? story.parts.map(({ label, text }) => code(label, text)) : beginningOf(story)),
    ...story.needs.slice(0, most.parts).map(needBlock),
    ...(story.verdict === null ? [] : [paragraph(sentence(story.verdict))]),
    ...(story.outcome === null ? [] : [paragraph(sentence(story.outcome))]),
  ]
  if (story.state === 'pending') {
    if (whole && story.grant) blocks.push(paragraph(`A grant is possible. ${story.grant.words}`))
    blocks.push(countdown('Expires', story.expiresAt))
    blocks.push(buttons(choicesOf(story, link, whole)))
  } else {
    blocks.push(buttons([openButton(link)]))
  }
  return { text: escape(`${title}: ${cut(summaryOf(story), 300)}`), blocks }
}

/** Whether the message shows every character of what would run. */
function isWhole({ parts, summary, agentReason, chain, needs, grant }: Story): boolean {
  const characters = parts.reduce((sum, { label, text }) => sum + label.length + text.length, 0)
  const lines = parts.reduce((sum, { text }) => sum + text.split('\n').length, 0)
  const beside = [
    summary,
    agentReason ?? '',
    grant?.words ?? '',
    chain.join(' → '),
    ...needs.map(({ from }) => from),
  ]
  return (
    characters <= most.characters &&
    lines <= most.lines &&
    parts.length + needs.length <= most.parts &&
    beside.every((text) => text.length <= 1000)
  )
}

function titleOf({ state, risk }: Story, escalated: boolean): string {
  switch (state) {
    case 'pending':
      return `${escalated ? 'Nobody has decided yet' : 'Approval wanted'} (${risk} risk)`
    case 'approved':
    case 'dispatching':
      return 'Approved'
    case 'succeeded':
      return 'Approved, and done'
    case 'failed':
      return 'Approved, and failed'
    case 'unknown':
      return 'Approved, and nobody knows what became of it'
    case 'denied':
      return 'Denied'
    case 'expired':
      return 'Expired'
    case 'cancelled':
      return 'Cancelled'
    case 'invalidated':
      return 'No longer valid'
  }
}

function summaryOf({ agent, summary, resource }: Story): string {
  return `${agent} wants ${summary} on ${resource}`
}

function factsOf(story: Story): (readonly [string, string])[] {
  return [
    ['Action', story.summary],
    ['Who', story.chain.join(' → ')],
    ['Resource', `${story.resource} (${story.effect})`],
    ['Why it is held', `${story.reason} (${story.rules.join(', ')})`],
    ...(story.impact === null ? [] : [['Impact', story.impact] as const]),
  ]
}

function beginningOf({ parts }: Story): Block[] {
  const text = parts.map((part) => `${part.label}:\n${part.text}`).join('\n\n')
  return [
    paragraph(
      'This is only the beginning: the whole action does not fit into a message, and nobody approves what they have not seen. Open it in the console.',
    ),
    code('the beginning', cut(text.split('\n').slice(0, 40).join('\n'), 2000)),
  ]
}

function needBlock({ from, quorum, approvedBy }: Story['needs'][number]): Block {
  const so = approvedBy.length > 0 ? `: ${approvedBy.join(', ')}` : ''
  return paragraph(`${approvedBy.length} of ${quorum} from ${cut(from, 1000)}${so}`)
}

/** What cannot be approved here can still be denied here. */
function choicesOf(story: Story, link: string, whole: boolean): Button[] {
  const { grant } = story
  return [
    ...(whole
      ? [
          {
            action: actions.approve,
            label: 'Approve once',
            value: ballotOf(story, null),
            style: 'primary' as const,
          },
        ]
      : []),
    ...(whole && grant
      ? [
          {
            action: actions.approveMinutes,
            label: `Approve for ${grant.minutes} ${grant.minutes === 1 ? 'minute' : 'minutes'}`,
            value: ballotOf(story, grant.minutes),
          },
        ]
      : []),
    {
      action: actions.deny,
      label: 'Deny',
      value: ballotOf(story, null),
      style: 'danger' as const,
    },
    openButton(link),
  ]
}

function openButton(link: string): Button {
  return { action: actions.open, label: 'Open in the console', url: link }
}

const sentence = (text: string): string =>
  cut(/[.!?]$/.test(text) ? text : `${text}.`, limits.section)
