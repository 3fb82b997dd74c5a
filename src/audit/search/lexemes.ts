import type { DataUse } from '../../core/data-use.ts'
import type { Outcome } from '../../core/event.ts'
import { nameLexeme, wordsIn, type Lexeme } from './words.ts'

/** An event as the log has it. `null`: it was taken away, or erased. */
export interface Recorded {
  readonly body: Buffer | null
  readonly personal: Buffer | null
}

/** What of an event's body is looked for. Ids have columns, and times are in ids. */
interface Body {
  readonly type: string
  readonly action?: { readonly name: string }
  readonly resource?: string
  readonly effect?: string
  readonly decision?: string
  readonly reason?: string
  readonly rules?: readonly string[]
  readonly digest?: string
  readonly policy?: string
  readonly trace?: string
  readonly outcome?: Outcome
  readonly usage?: DataUse
}

/** Characters of one event in which words are looked for. */
const longest = 64 * 1024

// Names that we give: nearly every event has them, and nobody looks for them.
const ours =
  /"(?:attributes|http|sql|subject|issuer|kind|groups|owner|chain|related|claims|details|summary|method|host|path|query|headers|upgrade)":/g

/** All that an event is found by. */
export function lexemesOf(event: Recorded): Set<Lexeme> {
  const body = bodyOf(event)
  const lexemes = new Set(wordsIn(textOf(event, body)))
  const named = (field: string, value: string | undefined) => {
    if (value !== undefined) lexemes.add(nameLexeme(field, value))
  }
  named('type', body?.type)
  named('action', body?.action?.name)
  named('resource', body?.resource)
  named('effect', body?.effect)
  named('decision', body?.decision)
  named('reason', body?.reason)
  named('result', body?.outcome?.result)
  for (const rule of body?.rules ?? []) named('rule', rule)
  for (const dataset of body?.usage?.datasets ?? []) named('dataset', dataset)
  for (const one of body?.usage?.classes ?? []) named('class', one)
  named('model', body?.usage?.model)
  named('subject', subjectOf(event))
  return lexemes
}

function bodyOf({ body }: Recorded): Body | null {
  return body && (JSON.parse(body.toString()) as Body)
}

function subjectOf({ personal }: Recorded): string | undefined {
  if (!personal) return undefined
  const { subject } = JSON.parse(personal.toString()) as { subject?: { subject: string } }
  return subject?.subject
}

/** What words are looked for in: in lower case, as JSON writes it. */
export function textOf(event: Recorded, body = bodyOf(event)): string {
  const { type, action, resource, effect, decision, reason, rules, digest, policy, trace } =
    body ?? {}
  const { outcome, usage } = body ?? {}
  const told = [type, action?.name, resource, effect, decision, reason, rules, digest, policy]
  const all = JSON.stringify([...told, trace, outcome?.result, outcome?.error, usage])
  const personal = event.personal?.toString().replaceAll(ours, '') ?? ''
  return `${all}${personal}`.slice(0, longest).toLowerCase()
}
