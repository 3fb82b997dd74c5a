import { firstIdAt } from '../event-id.ts'
import { nameLexeme, termsOf, type Lexeme, type Term } from './words.ts'

/** What an event has to meet. All given conditions have to hold. */
export interface EventFilter {
  /**
   * Terms that occur in the event, in upper or lower case, each starting at the beginning of a
   * word.
   */
  readonly q?: string
  /** The subject's name, as its issuer gives it. */
  readonly subject?: string
  readonly resource?: string
  /** Id or name of the action. */
  readonly action?: string
  readonly effect?: string
  readonly decision?: string
  /**
   * `false`: what ran although it would have been denied or held, because the resource is only
   * observed.
   */
  readonly enforced?: boolean
  readonly reason?: string
  /** One of the rules that decided. */
  readonly rule?: string
  readonly type?: string
  /** The result of the outcome. */
  readonly result?: string
  /** The digest of the approval, in hex. */
  readonly digest?: string
  /** SHA-256 of the policies, in hex. */
  readonly policy?: string
  /** One of the data sets that it touches, and one of their classes. */
  readonly dataset?: string
  readonly class?: string
  /** The model that answered. */
  readonly model?: string
  /** W3C trace id. */
  readonly trace?: string
  /** Id of the approval. */
  readonly approval?: string
  /** Inclusive. */
  readonly from?: Date
  /** Exclusive. */
  readonly to?: Date
}

export const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Takes a parameter, and returns its placeholder in SQL. */
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
 * Yields NULL for something that is no event, which would otherwise be an error. Many times slower.
 */
export const whereReadable: Reading = {
  body: `sallyport.audit_readable(e.body)`,
  personal: `sallyport.audit_readable(e.personal)`,
}

// Lower-cases ASCII, whatever the database's locale: in Turkish, INSERT has an i without a dot. Two
// letters beyond ASCII have lower-case forms within it.
const textOf = ({ body, personal }: Reading) =>
  `lower(translate(${body} || coalesce(${personal}, ''), '\u0130\u212a', 'ik') COLLATE "C")`

type Condition<Value> = (place: Place, value: Value, body: string) => string

// The body is canonical JSON in which these names occur once, so values can be compared as text.
const member =
  (name: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(`"${name}":${JSON.stringify(value)}`)} IN ${body}) > 0`

// Parsing the JSON takes longer than seeing that the value does not occur in it.
const within =
  (path: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(JSON.stringify(value))} IN ${body}) > 0 AND ${body}::jsonb #>> '${path}' = ${place(value)}`

const among =
  (path: string): Condition<unknown> =>
  (place, value, body) =>
    `position(${place(JSON.stringify(value))} IN ${body}) > 0 AND ${body}::jsonb #> '${path}' ? ${place(value)}`

/** Each condition in SQL, on events `e`. */
const conditions: {
  readonly [Name in Exclude<keyof EventFilter, 'q'>]-?: Condition<NonNullable<EventFilter[Name]>>
} = {
  // Only what the index has. A further condition would make the planner expect too few matches to
  // walk them in the order of time.
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
  // Only denials and holds can go unenforced, and those have an index.
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
  // Ids begin with the time of their events.
  from: (place, value) => `e.id >= ${place(firstIdAt(value))}::uuid`,
  to: (place, value) => `e.id < ${place(firstIdAt(value))}::uuid`,
}

/** The filter in SQL, on event `e`. Whether the terms of `q` really occur remains to be checked. */
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
 * A quick test that is true for every event with the term, and for some others, since lower case
 * beyond ASCII differs between locales.
 */
function mayOccur({ text: wanted }: Term, place: Place, text: string): string[] {
  const pieces = wanted.split(/[^\0-\x7f]+/).filter((piece) => piece !== '')
  return pieces.map((piece) => `position(${place(piece)} IN ${text}) > 0`)
}

/** Something to look up: a word, or the beginning of words. */
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

/** The part of a filter that the lists of words can answer. */
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
