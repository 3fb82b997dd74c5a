import {
  beginningOf,
  cut,
  factsOf,
  isWhole,
  mostNeeds,
  needWords,
  onlyTheBeginning,
  titleOf,
} from '../../gate/notices/chat-words.ts'
import type { Notice } from '../../gate/notices/notice.ts'
import type { Story } from '../../gate/notices/story.ts'
import { ballotOf } from './ballot-value.ts'
import {
  buttons,
  code,
  countdown,
  escape,
  fields,
  header,
  limits,
  paragraph,
  type Block,
  type Button,
} from './blocks.ts'

/** The action ids of the buttons. */
export const actions = {
  approve: 'sallyport_approve',
  approveMinutes: 'sallyport_approve_minutes',
  approveSession: 'sallyport_approve_session',
  deny: 'sallyport_deny',
  open: 'sallyport_open',
} as const

export interface Message {
  /** For notifications, and for clients that show no blocks. */
  readonly text: string
  readonly blocks: Block[]
}

/**
 * The message about an approval in its current state, with everything that an approver has to see.
 */
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
    ...(whole
      ? story.parts.map(({ label, text }) => code(label, text))
      : [paragraph(onlyTheBeginning), code('the beginning', beginningOf(story))]),
    ...story.needs.slice(0, mostNeeds).map((need) => paragraph(needWords(need))),
    ...(story.verdict === null ? [] : [paragraph(sentence(story.verdict))]),
    ...(story.outcome === null ? [] : [paragraph(sentence(story.outcome))]),
  ]
  if (story.state === 'pending') {
    for (const { words } of whole ? story.grants : [])
      blocks.push(paragraph(`A grant is possible. ${words}`))
    blocks.push(countdown('Expires', story.expiresAt))
    blocks.push(buttons(choicesOf(story, link, whole)))
  } else {
    blocks.push(buttons([openButton(link)]))
  }
  return { text: escape(`${title}: ${cut(summaryOf(story), 300)}`), blocks }
}

function summaryOf({ agent, summary, resource }: Story): string {
  return `${agent} wants ${summary} on ${resource}`
}

/**
 * The buttons. An action of which the message cannot show everything can be denied here, but not
 * approved.
 */
function choicesOf(story: Story, link: string, whole: boolean): Button[] {
  return [
    ...(whole
      ? [
          {
            action: actions.approve,
            label: 'Approve once',
            value: ballotOf(story, 'once'),
            style: 'primary' as const,
          },
          ...story.grants.map(({ scope, label }) => ({
            action: 'session' in scope ? actions.approveSession : actions.approveMinutes,
            label,
            value: ballotOf(story, scope),
          })),
        ]
      : []),
    {
      action: actions.deny,
      label: 'Deny',
      value: ballotOf(story, 'once'),
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
