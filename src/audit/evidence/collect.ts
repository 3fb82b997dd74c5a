import { parseJson } from '../../core/parse-json.ts'
import { evidenceEvent, type EvidenceEvent } from './event.ts'
import { queries, type Query, type QueryName } from './queries.ts'

/** The events that one query finds. */
export interface Answer {
  readonly title: string
  readonly count: number
  /** The most frequent first. */
  readonly groups: readonly { readonly name: string; readonly count: number }[]
  /** The events with the least hashes, which nobody can choose, and which everybody finds again. */
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly id: string
  readonly index: number | null
  readonly time: string
  readonly type: string
  /** The action that it belongs to, if that is known. */
  readonly action: string | null
  readonly approval: string | null
  /** Issuer and subject; `null` if nobody acted, or if that was erased. */
  readonly who: string | null
  readonly what: string
}

export type Answers = Readonly<Record<QueryName, Answer>>

const mostSamples = 5
/** Further names are counted together, because agents can make up any number of names. */
const mostGroups = 200

/**
 * Answers all queries from the lines of an export, in one pass and in constant memory. A line that
 * is no event is left to the verifier.
 */
export class Collector {
  readonly #tallies = Object.entries(queries).map(([name, query]) => ({
    name,
    tally: new Tally(query),
  }))

  add(line: string): void {
    const event = parse(line)
    if (event) for (const { tally } of this.#tallies) tally.add(event)
  }

  answers(): Answers {
    const answers = this.#tallies.map(({ name, tally }) => [name, tally.answer()] as const)
    return Object.fromEntries(answers) as Answers
  }
}

function parse(line: string): EvidenceEvent | null {
  try {
    return evidenceEvent.safeParse(parseJson(line)).data ?? null
  } catch {
    // The verifier says which line it is. Its finding is on the first page.
    return null
  }
}

class Tally {
  readonly #query: Query
  readonly #groups = new Map<string, number>()
  #samples: EvidenceEvent[] = []
  #count = 0

  constructor(query: Query) {
    this.#query = query
  }

  add(event: EvidenceEvent): void {
    const { match, by } = this.#query
    if (!match(event)) return
    this.#count++
    const name = by(event)
    const known = this.#groups.has(name) || this.#groups.size < mostGroups
    const group = known ? name : 'others'
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1)
    const last = this.#samples.at(-1)
    if (this.#samples.length === mostSamples && hashOf(event) >= hashOf(last!)) return
    this.#samples = [...this.#samples, event]
      .toSorted((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1))
      .slice(0, mostSamples)
  }

  answer(): Answer {
    const groups = [...this.#groups].map(([name, count]) => ({ name, count }))
    return {
      title: this.#query.title,
      count: this.#count,
      groups: groups.toSorted((a, b) => b.count - a.count),
      samples: this.#samples.map(sampleOf).toSorted((a, b) => (a.time < b.time ? -1 : 1)),
    }
  }
}

function hashOf({ hash = '' }: EvidenceEvent): string {
  return hash
}

function sampleOf(event: EvidenceEvent): Sample {
  const { id, index = null, time, type, subject, resource, decision, reason, rules } = event
  const summary = event.details?.['summary']
  const said = [
    typeof summary === 'string' ? summary : null,
    resource && `on ${resource}`,
    decision,
    reason,
    rules.length > 0 ? `by ${rules.join(', ')}` : null,
    event.outcome?.result,
    event.policy && `policy ${event.policy}`,
    event.approval && `approval ${event.approval}`,
  ]
  const who = subject ? `${subject.issuer} ${subject.subject}` : null
  const what = said.filter((part) => part).join('; ')
  const { action, approval = null } = event
  return { id, index, time, type, action: action?.id ?? null, approval, who, what }
}
