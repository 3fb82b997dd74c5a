import type { Story } from './story.ts'

/**
 * The title of an approval in a chat, by its state. `escalated`: whether this place is told because
 * nobody has decided.
 */
export function titleOf({ state, risk }: Story, escalated: boolean): string {
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

/** Pairs of a label and its value. */
export function factsOf(story: Story): (readonly [string, string])[] {
  return [
    ['Action', story.summary],
    ['Who', story.chain.join(' → ')],
    ['Resource', `${story.resource} (${story.effect})`],
    ['Why it is held', `${story.reason} (${story.rules.join(', ')})`],
    ...(story.impact === null ? [] : [['Impact', story.impact] as const]),
    ...(story.data === null ? [] : [['Data', story.data] as const]),
  ]
}

/**
 * How much of an action fits into one message of a chat. Chats fold longer ones away, and nobody
 * can approve what they have not seen.
 */
const most = { characters: 3000, lines: 80, parts: 20, beside: 1000 } as const

/** Whether one message can show every character of what would run, and everything beside it. */
export function isWhole({
  parts,
  summary,
  agentReason,
  chain,
  needs,
  grants,
  impact,
  data,
}: Story): boolean {
  const characters = parts.reduce((sum, { label, text }) => sum + label.length + text.length, 0)
  const lines = parts.reduce((sum, { text }) => sum + text.split('\n').length, 0)
  const beside = [
    summary,
    agentReason ?? '',
    ...grants.map(({ words }) => words),
    impact ?? '',
    data ?? '',
    chain.join(' → '),
    ...needs.map(({ from }) => from),
  ]
  return (
    characters <= most.characters &&
    lines <= most.lines &&
    parts.length + needs.length <= most.parts &&
    beside.every((text) => text.length <= most.beside)
  )
}

/** The most needs that are listed where a message cannot show the whole. */
export const mostNeeds = most.parts

/** Cuts a text at the end, visibly, and never within a character. `most`: in UTF-16 code units. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const end = most - 1
  const middle = /[\uD800-\uDBFF]/.test(text[end - 1]!)
  return `${text.slice(0, middle ? end - 1 : end)}…`
}

/** What a message shows of an action that it cannot show whole. */
export function beginningOf({ parts }: Story): string {
  const text = parts.map((part) => `${part.label}:\n${part.text}`).join('\n\n')
  return cut(text.split('\n').slice(0, 40).join('\n'), 2000)
}

export const onlyTheBeginning =
  'This is only the beginning: the whole action does not fit into a message, and nobody approves what they have not seen. Open it in the console.'

export function needWords({ from, quorum, approvedBy }: Story['needs'][number]): string {
  const so = approvedBy.length > 0 ? `: ${approvedBy.join(', ')}` : ''
  return `${approvedBy.length} of ${quorum} from ${cut(from, most.beside)}${so}`
}
