import type { DataUse } from '../../core/data-use.ts'
import type { Outcome } from '../../core/event.ts'
import { WordScanner } from './word-scanner.ts'
import { copyOf } from './word-table.ts'
import { nameLexeme, ourNames, type Lexeme } from './words.ts'

/** An event as the log has it, in JSON. `null`: it was taken away, or erased. */
export interface Recorded {
  readonly body: string | null
  readonly personal: string | null
}

/** What of an event's body is looked for. Ids have columns, and times are in ids. */
interface Body {
  readonly type: string
  readonly action?: { readonly name: string }
  readonly resource?: string
  readonly effect?: string
  readonly decision?: string
  readonly enforced?: boolean
  readonly reason?: string
  readonly rules?: readonly string[]
  readonly digest?: string
  readonly policy?: string
  readonly trace?: string
  readonly outcome?: Outcome
  readonly usage?: DataUse
}

/** Characters of a part of an event in which words are looked for. */
export const longest = 64 * 1024

const ours = new RegExp(`"(?:${ourNames.join('|')})":`, 'g')

/** What is remembered: so many texts, none of them longer than this. */
const most = { texts: 4_096, length: 2_048 }

/**
 * Gives whatever stands for the lexemes of events, one event after another. What many events have
 * in common is taken apart once.
 */
export class LexemeReader<Entry> {
  readonly #entryOf: (lexeme: Lexeme) => Entry
  readonly #scanner: WordScanner<Entry>
  readonly #known = new Map<string, readonly Entry[]>()

  constructor(entryOf: (lexeme: Lexeme) => Entry) {
    this.#entryOf = entryOf
    this.#scanner = new WordScanner(entryOf)
  }

  /**
   * Takes all that an event is found by, some of it more than once. Throws for what is no event.
   */
  read(event: Recorded & { readonly subject: string | null }, take: (entry: Entry) => void): void {
    const { personal, subject } = event
    const body = bodyOf(event)
    const { shared, own } = toldIn(body)
    if (subject !== null) take(this.#entryOf(nameLexeme('subject', subject)))
    for (const name of namesOfUse(body?.usage)) take(this.#entryOf(name))
    if (shared.length + own.length > longest || (personal !== null && personal.length > longest)) {
      for (const name of namesIn(body)) take(this.#entryOf(name))
      this.#scanner.scan(textOf(event, body), take)
      return
    }
    for (const entry of this.#remembered(shared, () => namesIn(body))) take(entry)
    this.#scanner.scan(own.toLowerCase(), take)
    if (personal === null) return
    // The subject comes last in it. Wherever this cuts, no word goes on behind it.
    const by = Math.max(0, personal.lastIndexOf('"subject":{'))
    this.#scanner.scan(personal.slice(0, by).toLowerCase(), take)
    for (const entry of this.#remembered(personal.slice(by), () => [])) take(entry)
  }

  #remembered(text: string, names: () => Lexeme[]): readonly Entry[] {
    const known = this.#known.get(text)
    if (known) return known
    const entries = new Set(names().map(this.#entryOf))
    this.#scanner.scan(text.toLowerCase(), (entry) => entries.add(entry))
    const found = [...entries]
    if (text.length <= most.length && this.#known.size < most.texts) {
      this.#known.set(copyOf(text), found)
    }
    return found
  }
}

/** What words are looked for in: in lower case, as JSON writes it. */
export function textOf(event: Recorded, body = readableOf(event)): string {
  const { shared, own } = toldIn(body)
  const personal = event.personal?.slice(0, longest) ?? ''
  return `${`${shared}${own}`.slice(0, longest)}${personal}`.toLowerCase().replaceAll(ours, '')
}

/** Throws for what is no event. */
function bodyOf({ body }: Recorded): Body | null {
  if (body === null) return null
  const said: unknown = JSON.parse(body)
  if (said === null || typeof said !== 'object' || Array.isArray(said)) {
    throw new TypeError('not an object')
  }
  return said as Body
}

/** As if it were not there. */
function readableOf(event: Recorded): Body | null {
  try {
    return bodyOf(event)
  } catch {
    return null
  }
}

/** What the body says, as JSON writes it: what many events have in common, and what they do not. */
function toldIn(body: Body | null): { shared: string; own: string } {
  if (!body) return { shared: '', own: '' }
  const { type, action, resource, effect, decision, enforced, reason, rules, policy } = body
  const { digest, trace, outcome, usage } = body
  const named = [type, action?.name, resource, effect, decision, enforced, reason, rules, policy]
  return {
    shared: written([...named, outcome?.result]),
    own: written([digest, trace, outcome?.error, usage]),
  }
}

function written(values: readonly unknown[]): string {
  return JSON.stringify(values.filter((value) => value !== undefined))
}

/** Names in what many events have in common. */
function namesIn(body: Body | null): Lexeme[] {
  if (!body) return []
  const { decision } = body
  // As the condition has it: nothing else can have gone unenforced.
  const enforced = decision === 'deny' || decision === 'hold' ? (body.enforced ?? true) : undefined
  return [
    ...named('type', body.type),
    ...named('action', body.action?.name),
    ...named('resource', body.resource),
    ...named('effect', body.effect),
    ...named('decision', decision),
    ...named('enforced', enforced?.toString()),
    ...named('reason', body.reason),
    ...named('result', body.outcome?.result),
    ...(body.rules ?? []).map((rule) => nameLexeme('rule', rule)),
  ]
}

function namesOfUse(usage: DataUse | undefined): Lexeme[] {
  if (!usage) return []
  return [
    ...(usage.datasets ?? []).map((dataset) => nameLexeme('dataset', dataset)),
    ...(usage.classes ?? []).map((one) => nameLexeme('class', one)),
    ...named('model', usage.model),
  ]
}

function named(field: string, value: string | undefined): Lexeme[] {
  return value === undefined ? [] : [nameLexeme(field, value)]
}
