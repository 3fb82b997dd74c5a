import type { CardElement, IAdaptiveCard, IExecuteAction } from '@microsoft/teams.cards'
import type { Scope } from '../../approvals/scope.ts'
import type { Answer, ChatBallot } from '../../gate/notices/chat-vote.ts'
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
import {
  code,
  countdown,
  fact,
  header,
  openButton,
  paragraph,
  voteButton,
  withReason,
} from './elements.ts'

/**
 * The largest card as JSON, in bytes. Teams takes messages of about 28 KB, including what is around
 * the card.
 */
const mostBytes = 24_000

/** How much of the action a card shows. Only one that shows all of it can be approved. */
type Shown = 'all' | 'beginning' | 'nothing'

/** The longest of each text other than the action, in characters. */
const mostBeside = { all: 1000, beginning: 300, nothing: 300 } as const satisfies Record<
  Shown,
  number
>

type Told = Pick<Notice, 'story' | 'link' | 'purpose'>

/**
 * The card about an approval in its current state, with everything that an approver has to see.
 * `answer`: a message to the person who clicked, who alone gets this card.
 */
export function cardOf(told: Told, answer: Answer | null = null): IAdaptiveCard {
  if (isWhole(told.story)) {
    const whole = build(told, 'all', answer)
    if (fits(whole)) return whole
  }
  const beginning = build(told, 'beginning', answer)
  return fits(beginning) ? beginning : build(told, 'nothing', answer)
}

const fits = (card: IAdaptiveCard): boolean => Buffer.byteLength(JSON.stringify(card)) <= mostBytes

/** A short text for somebody who clicked where there is no approval to show. */
export function answerCard({ text, link }: Answer): IAdaptiveCard {
  return frame([paragraph(text)], link ? [openButton(link.label, link.url)] : [])
}

/** A short text about an approval, with a link to it. */
export function wordsCard(text: string, link: string): IAdaptiveCard {
  return frame([paragraph(text)], [openButton('Open in the console', link)])
}

function build({ story, link, purpose }: Told, shown: Shown, answer: Answer | null): IAdaptiveCard {
  const isOpen = story.state === 'pending'
  const isAll = shown === 'all'
  const short = (text: string): string => cut(text, mostBeside[shown])
  const body: CardElement[] = [
    ...(answer ? [paragraph(answer.text, { weight: 'Bolder', color: 'Accent' })] : []),
    header(titleOf(story, purpose === 'escalate')),
    ...factsOf(story).map(([label, text]) => fact(label, short(text))),
    ...(story.agentReason === null
      ? []
      : [paragraph(`The agent says (nobody has checked it): ${short(story.agentReason)}`)]),
    ...(story.ranBefore === null
      ? []
      : [paragraph(`The same action ran before, and that run is: ${story.ranBefore}.`)]),
    ...(isAll
      ? story.parts.map(({ label, text }) => code(label, text))
      : [paragraph(onlyTheBeginning)]),
    ...(shown === 'beginning' ? [code('the beginning', beginningOf(story))] : []),
    ...story.needs.slice(0, isAll ? mostNeeds : 5).map((need) => paragraph(short(needWords(need)))),
    ...(story.verdict === null
      ? []
      : [paragraph(short(sentence(story.verdict)), { weight: 'Bolder' })]),
    ...(story.outcome === null ? [] : [paragraph(short(sentence(story.outcome)))]),
    ...(isOpen && isAll
      ? story.grants.map(({ words }) => paragraph(`A grant is possible. ${words}`))
      : []),
    ...(isOpen ? [countdown('Expires', story.expiresAt)] : []),
  ]
  return frame(body, [
    ...(answer?.link ? [openButton(answer.link.label, answer.link.url)] : []),
    ...(isOpen ? votesOf(story, isAll) : []),
    openButton('Open in the console', link),
  ])
}

/**
 * The buttons. An action of which the card cannot show everything can be denied here, but not
 * approved.
 */
function votesOf(story: Story, whole: boolean): NonNullable<IAdaptiveCard['actions']> {
  const approvals: IExecuteAction[] = [
    voteButton({
      title: 'Approve once',
      decision: 'approve',
      ballot: ballotOf(story, 'once'),
      style: 'positive',
    }),
    ...story.grants.map(({ scope, label }) =>
      voteButton({ title: label, decision: 'approve', ballot: ballotOf(story, scope) }),
    ),
  ]
  const denial = voteButton({
    title: 'Deny',
    decision: 'deny',
    ballot: ballotOf(story, 'once'),
    style: 'destructive',
  })
  const critical = story.risk === 'critical'
  return [
    ...(whole ? (critical ? [withReason('Approve', 'approve', approvals)] : approvals) : []),
    withReason('Deny', 'deny', [denial]),
  ]
}

function ballotOf({ id, digest, viewHash }: Story, scope: Scope): ChatBallot {
  return { approval: id, digest, view: viewHash, scope }
}

function frame(body: CardElement[], actions: NonNullable<IAdaptiveCard['actions']>): IAdaptiveCard {
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    msteams: { width: 'full' },
    body,
    actions,
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
