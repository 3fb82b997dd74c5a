/**
 * What is counted of what a subject did with some data; `first` says whether it does so for the
 * first time.
 */
export const usageMeasures = ['actions', 'rows', 'bytes', 'tokens', 'first'] as const

export type UsageMeasure = (typeof usageMeasures)[number]

/**
 * What a rule wants to know about the subject of an action:
 * `usage.rows(subject, "customers", "24h")`.
 */
export interface UsageFact {
  readonly measure: UsageMeasure
  /** A data set, or all that are of a class. */
  readonly kind: 'dataset' | 'class'
  readonly name: string
  /** How far back it counts; 0 for `first`, which looks at all that is on record. */
  readonly hours: number
}

/** Its name among the facts about an action, and on record: `rows customers 24h`. */
export function usageFactName({ measure, kind, name, hours }: UsageFact): string {
  const of = kind === 'class' ? `class:${name}` : name
  return measure === 'first' ? `first ${of}` : `${measure} ${of} ${hours}h`
}

/** The longest time that is counted over, in hours: it is looked up before each action. */
const mostHours = 31 * 24

/**
 * `24h` or `7d`, in hours; `null` for anything else. Whole hours, since that is what is counted by.
 */
export function windowHours(text: string): number | null {
  const [, count = '', unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? []
  const hours = Number(count) * (unit === 'd' ? 24 : 1)
  return hours > 0 && hours <= mostHours ? hours : null
}

/** `customers`, or `class:pii`. */
export function usageTarget(text: string): Pick<UsageFact, 'kind' | 'name'> {
  return text.startsWith('class:')
    ? { kind: 'class', name: text.slice('class:'.length) }
    : { kind: 'dataset', name: text }
}
