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
 * The few elements of Adaptive Cards that we use. Text from outside is put into text runs only:
 * Adaptive Cards interpret Markdown in text blocks, facts and titles, but not in runs (Adaptive
 * Cards 1.5, TextRun).
 */
type Look = Omit<Partial<ITextRun>, 'type' | 'text'>

/**
 * Dates such as `{{DATE(…)}}` are formatted even in runs, which would show something other than the
 * text. So its two braces are put into different runs. An empty run is not valid.
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
 * A label, and below it text exactly as it is, with every line and blank. Blanks that a client
 * would collapse or drop are replaced with no-break ones.
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
 * A time, which Teams shows in the reader's own time zone. This is the only text block, and only
 * our own time goes into it. It has no fractions of a second, since some clients cannot read them.
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

/** The ids of the inputs for a reason. */
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
