import type { Run, RunAction } from '../api/runs.ts'
import { decisionInWords, states, type Tone } from '../text/words.ts'

/** An action of a run, in a line. Summary, resource and who can hold what somebody else wrote. */
export interface RunLine {
  readonly action: RunAction
  /** How many calls it is beneath the first. */
  readonly depth: number
  readonly summary: string
  readonly resource: string | null
  readonly who: string | null
  readonly word: string
  readonly tone: Tone
  readonly at: string
  /** Milliseconds until its last event; 0 where there is only one. */
  readonly took: number
  /** Whether people were asked: they decide yet, or it is over. */
  readonly asked: 'waits' | 'over' | null
}

/** As the gateway ordered them: what was called comes behind its caller. */
export function linesOf({ actions }: Run): RunLine[] {
  const depths = new Map<string, number>()
  return actions.map((action) => {
    const depth = action.under === null ? 0 : (depths.get(action.under) ?? 0) + 1
    depths.set(action.id, depth)
    const { id, events } = action
    const decided = events.find(({ type }) => type === 'action.decided') ?? events[0]!
    const said = events.map(({ details }) => details?.['summary'])
    const summary = said.find((one) => typeof one === 'string')
    const [first, last] = [events[0]!, events.at(-1)!]
    return {
      ...{ action, depth, at: first.time, ...howItWent(action) },
      summary: summary ?? decided.action?.name ?? id,
      resource: decided.resource ?? null,
      who: decided.subject?.subject ?? null,
      took: Date.parse(last.time) - Date.parse(first.time),
      asked: askedOf(action),
    }
  })
}

function askedOf({ events }: RunAction): RunLine['asked'] {
  const has = (wanted: string) => events.some(({ type }) => type === wanted)
  if (!has('approval.requested')) return null
  return has('approval.resolved') ? 'over' : 'waits'
}

/** What became of it: the last that is known. */
function howItWent({ events }: RunAction): { word: string; tone: Tone } {
  const outcome = events.findLast((event) => event.outcome)?.outcome
  if (outcome) return states[outcome.result]
  const resolved = events.findLast(({ type }) => type === 'approval.resolved')
  const state = resolved?.details?.['state']
  if (typeof state === 'string' && Object.hasOwn(states, state)) {
    return states[state as keyof typeof states]
  }
  const decided = events.find(({ decision }) => decision !== undefined)
  if (!decided?.decision) return { word: 'On record', tone: 'quiet' }
  const { title, tone } = decisionInWords(decided.decision, decided.enforced !== false)
  return { word: title, tone }
}
