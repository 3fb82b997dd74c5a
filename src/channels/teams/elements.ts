import type {
  CardElement,
  IExecuteAction,
  IOpenUrlAction,
  IRichTextBlock,
  IShowCardAction,
  ITextRun,
} from '@microsoft/teams.cards'
import type { ChatBallot } from '../../gate/notices/chat-vote.ts'

/**
 * The few parts of an Adaptive Card that are used. Text from outside is only ever put into text
 * runs: Adaptive Cards look for Markdown in text blocks, facts and titles, and not in runs
 * (Adaptive Cards 1.5, TextRun).
 */
type Look = Omit<Partial<ITextRun>, 'type' | 'text'>

/**
 * A run does have dates formatted, `{{DATE(…)}}`, which would show something else than what is
 * there: its two braces are not in one run. An empty run is not valid.
 */
function runs(text: string, look: Look = {}): ITextRun[] {
  const parts = text === '' ? ['\u00A0'] : text.split(/(?<=\{)(?=\{(?:DATE|TIME))/i)
  return parts.map((part) => ({ type: 'TextRun', text: part, ...look }))
}

function block(inlines: ITextRun[], more: Partial<IRichTextBlock> = {}): IRichTextBlock {
  return { type: 'RichTextBlock', inlines, ...more }
}

export function header(text: string): CardElement {
  return block(runs(text, { size: 'Large', weight: 'Bolder' }))
}

export function paragraph(text: string, look: Look = {}): CardElement {
  return block(runs(text, look))
}

export function fact(label: string, text: string): CardElement {
  return block([...runs(`${label}: `, { weight: 'Bolder' }), ...runs(text)], { spacing: 'Small' })
}

/**
 * A label, and text in the letters that it has, each line of it, and every blank: those that a
 * client would take together, or leave out, are no-break ones here.
 */
export function code(label: string, text: string): CardElement {
  // An empty body is something to show.
  const lines = text === '' ? ['(empty)'] : text.split('\n')
  const look = { fontType: 'Monospace' } as const
  return {
    type: 'Container',
    style: 'emphasis',
    items: [
      block(runs(label, { weight: 'Bolder' })),
      ...lines.map((line) => block(runs(withBlanks(line), look), { spacing: 'None' })),
    ],
  }
}

const withBlanks = (line: string): string => line.replace(/(?<=^| ) | (?=$)/g, '\u00A0')

/**
 * An instant, in the reader's own time zone: the one text block, and only an instant of ours is in
 * it. Without parts of a second, which some clients do not read.
 */
export function countdown(label: string, at: Date): CardElement {
  const instant = `${at.toISOString().slice(0, 19)}Z`
  return {
    type: 'TextBlock',
    text: `${label} {{DATE(${instant}, SHORT)}} {{TIME(${instant})}}`,
    isSubtle: true,
    wrap: true,
  }
}

export const verbs = { approve: 'sallyport_approve', deny: 'sallyport_deny' } as const

/** Where the reason is that somebody types. */
export const reasonInput = { approve: 'approve_reason', deny: 'deny_reason' } as const

interface Vote {
  readonly title: string
  readonly decision: 'approve' | 'deny'
  readonly ballot: ChatBallot
  readonly style?: 'positive' | 'destructive'
}

export function voteButton({ title, decision, ballot, style }: Vote): IExecuteAction {
  return {
    type: 'Action.Execute',
    title,
    verb: verbs[decision],
    data: { ballot },
    ...(style && { style }),
  }
}

/** A button that first asks for a reason, right below it. */
export function withReason(
  title: string,
  decision: 'approve' | 'deny',
  votes: readonly IExecuteAction[],
): IShowCardAction {
  const isRequired = decision === 'approve'
  return {
    type: 'Action.ShowCard',
    title,
    card: {
      type: 'AdaptiveCard',
      body: [
        {
          type: 'Input.Text',
          id: reasonInput[decision],
          label: isRequired
            ? 'Reason: on record. Critical actions take one.'
            : 'Reason: on record, and the agent is told',
          isMultiline: true,
          maxLength: 2000,
          isRequired,
          ...(isRequired && { errorMessage: 'Write a reason.' }),
        },
      ],
      actions: [...votes],
    },
  }
}

export function openButton(title: string, url: string): IOpenUrlAction {
  return { type: 'Action.OpenUrl', title, url }
}
