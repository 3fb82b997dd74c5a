/** What can be counted of a subject's use of data. `first` tells whether it is the first use. */
export const usageMeasures = ['actions', 'rows', 'bytes', 'tokens', 'first'] as const

export type UsageMeasure = (typeof usageMeasures)[number]

/**
 * Something that a rule asks about the subject of an action:
 * `usage.rows(subject, "customers", "24h")`.
 */
export interface UsageFact {
  readonly measure: UsageMeasure
  /** One data set, or all data sets of a class. */
  readonly kind: 'dataset' | 'class'
  readonly name: string
  /** How far back it counts; 0 for `first`, which looks at everything on record. */
  readonly hours: number
}

/** The name of a fact, also on record: `rows customers 24h`. */
export function usageFactName({ measure, kind, name, hours }: UsageFact): string {
  const of = kind === 'class' ? `class:${name}` : name
  return measure === 'first' ? `first ${of}` : `${measure} ${of} ${hours}h`
}

/**
 * The longest span that can be counted, in hours. Limited because it is counted before each action.
 */
const mostHours = 31 * 24

/**
 * `24h` or `7d`, in hours; `null` for anything else. Whole hours, because counts are kept by the
 * hour.
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
