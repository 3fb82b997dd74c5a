import type { Story } from './story.ts'

/**
 * What an approval is called in a chat, in the state that it is in. `escalated`: this place hears
 * of it because nobody has decided.
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

/** Labels, and what stands behind them. */
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
 * What one message of a chat may hold of an action. What is beyond it is folded away, and what
 * nobody has seen nobody can approve.
 */
const most = { characters: 3000, lines: 80, parts: 20, beside: 1000 } as const

/** Whether a message shows every character of what would run, and all that stands beside it. */
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

/** At most this many needs are listed, of one that is not whole. */
export const mostNeeds = most.parts

/** Cut at the end, visibly, and never in the middle of a character. `most`: UTF-16 code units. */
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
