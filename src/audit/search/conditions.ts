import { firstIdAt } from '../event-id.ts'
import { nameLexeme, termsOf, type Lexeme, type Term } from './words.ts'

/** What an event has to be. All that is given has to be true. */
export interface EventFilter {
  /**
   * Words that occur in the event, in any case: each as it is written, from the beginning of a word
   * on.
   */
  readonly q?: string
  /** The name that its issuer gives the subject. */
  readonly subject?: string
  readonly resource?: string
  /** Id or name of the action. */
  readonly action?: string
  readonly effect?: string
  readonly decision?: string
  /**
   * `false`: what would have been denied or held, and ran, because its resource is only observed.
   */
  readonly enforced?: boolean
  readonly reason?: string
  /** One of the rules that decided. */
  readonly rule?: string
  readonly type?: string
  /** What the upstream did. */
  readonly result?: string
  /** SHA-256 of what would be sent, in hex. */
  readonly digest?: string
  /** SHA-256 of the policies, in hex. */
  readonly policy?: string
  /** One of the data sets that it touches, and the classes of them. */
  readonly dataset?: string
  readonly class?: string
  /** That answered. */
  readonly model?: string
  /** W3C trace id. */
  readonly trace?: string
  /** Id of the approval. */
  readonly approval?: string
  /** At or after. */
  readonly from?: Date
  /** Before. */
  readonly to?: Date
}

export const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Takes a value in, and gives what stands for it in SQL. */
export type Place = (value: unknown) => string

/** How SQL reads the two parts of an event `e`. */
export interface Reading {
  readonly body: string
  readonly personal: string
}

export const asWritten: Reading = {
  body: `convert_from(e.body, 'UTF8')`,
  personal: `convert_from(e.personal, 'UTF8')`,
}

/**
 * NULL for what somebody put there that is no event, which is an error otherwise, and many times as
 * slow.
 */
export const whereReadable: Reading = {
  body: `sallyport.audit_readable(e.body)`,
  personal: `sallyport.audit_readable(e.personal)`,
}

// In the small letters of ASCII, whatever those of the database are: Turkish ones have no dot on
// the i of INSERT. Two letters beyond ASCII have small ones within.
const textOf = ({ body, personal }: Reading) =>
  `lower(translate(${body} || coalesce(${personal}, ''), '\u0130\u212a', 'ik') COLLATE "C")`

type Condition<Value> = (place: Place, value: Value, body: string) => string

// The body is canonical JSON, and these names occur in it once: what stands there can be compared
// as text.
const member =
  (name: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(`"${name}":${JSON.stringify(value)}`)} IN ${body}) > 0`

// Reading all of it takes longer than to see that the value is not there.
const within =
  (path: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(JSON.stringify(value))} IN ${body}) > 0 AND ${body}::jsonb #>> '${path}' = ${place(value)}`

const among =
  (path: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(JSON.stringify(value))} IN ${body}) > 0 AND ${body}::jsonb #> '${path}' ? ${place(value)}`

/** Each condition, on events `e`. */
const conditions: {
  readonly [Name in Exclude<keyof EventFilter, 'q'>]-?: Condition<NonNullable<EventFilter[Name]>>
} = {
  // By what the index has. To ask for more than that, where it is not needed, makes the planner
  // expect too few to go through them in the order of time.
  subject: (place, value) => {
    const at = place(value)
    const short = `left(e.subject, 200) = left(${at}, 200)`
    return [...value].length < 200 ? short : `${short} AND e.subject = ${at}`
  },
  resource: (place, value) => `e.resource = ${place(value)}`,
  action: (place, value, body) =>
    uuid.test(value) ? `e.action = ${place(value)}` : within('{action,name}')(place, value, body),
  effect: member('effect'),
  decision: (place, value) => `e.decision = ${place(value)}`,
  // Only what is denied or held can have gone unenforced, and for those there is an index.
  enforced: (place, value, body) =>
    `e.decision IN ('deny', 'hold') AND coalesce(${body}::jsonb -> 'enforced', 'true') = to_jsonb(${place(value)}::boolean)`,
  reason: (place, value) => `e.reason = ${place(value)}`,
  rule: among('{rules}'),
  dataset: among('{usage,datasets}'),
  class: among('{usage,classes}'),
  model: within('{usage,model}'),
  type: (place, value) => `e.type = ${place(value)}`,
  result: within('{outcome,result}'),
  digest: member('digest'),
  policy: member('policy'),
  trace: member('trace'),
  approval: (place, value) => `e.approval = ${place(value)}`,
  // An id begins with its event's time.
  from: (place, value) => `e.id >= ${place(firstIdAt(value))}::uuid`,
  to: (place, value) => `e.id < ${place(firstIdAt(value))}::uuid`,
}

/** What event `e` has to be in SQL; whether the words of `q` are in it is then to be seen. */
export function conditionsOf(
  { q, ...filter }: EventFilter,
  place: Place,
  reading: Reading,
): string[] {
  const named = Object.entries(filter).map(([name, value]) => {
    const condition = conditions[name as keyof typeof filter] as Condition<unknown>
    return condition(place, value, reading.body)
  })
  const terms = q === undefined ? [] : termsOf(q)
  return [...named, ...terms.flatMap((term) => mayOccur(term, place, textOf(reading)))]
}

/**
 * What is fast to see, and true of more events than the term occurs in: what is beyond ASCII has
 * other small letters in other locales.
 */
function mayOccur({ text: wanted }: Term, place: Place, text: string): string[] {
  const pieces = wanted.split(/[^\0-\x7f]+/).filter((piece) => piece !== '')
  return pieces.map((piece) => `position(${place(piece)} IN ${text}) > 0`)
}

/** What is looked up: a word, or what words begin with. */
export interface Sought {
  readonly word: Lexeme
  readonly begins: boolean
}

const names = [
  'subject',
  'resource',
  'effect',
  'decision',
  'enforced',
  'reason',
  'rule',
  'type',
  'result',
  'dataset',
  'class',
  'model',
] as const
const hashes = ['digest', 'policy', 'trace'] as const

/** What lists of words know of a filter. */
export function wordsOf(filter: EventFilter): Sought[] {
  const terms = filter.q === undefined ? [] : termsOf(filter.q)
  const { action } = filter
  const named = names.flatMap((name) =>
    filter[name] === undefined ? [] : nameLexeme(name, String(filter[name])),
  )
  const whole = [
    ...hashes.flatMap((name) => termsOf(filter[name] ?? '').flatMap((term) => term.whole)),
    ...named,
    ...(action === undefined || uuid.test(action) ? [] : [nameLexeme('action', action)]),
    ...terms.flatMap((term) => term.whole),
  ]
  return [
    ...terms.flatMap(({ begin }) => (begin === null ? [] : { word: begin, begins: true })),
    ...[...new Set(whole)].map((word) => ({ word, begins: false })),
  ]
}
