import type { JsonObject, JsonValue } from '../../../core/json.ts'
import { toExported, type EventRow } from '../../exported.ts'

/**
 * The parts of an event that the mapping reads. Every member may be missing, because it was erased,
 * left out, or never there.
 */
export interface Recorded {
  readonly id: string
  readonly index: number | undefined
  readonly time: string | undefined
  readonly type: string
  readonly action: { readonly id: string; readonly name: string } | undefined
  readonly resource: string | undefined
  readonly effect: string | undefined
  readonly decision: string | undefined
  readonly enforced: boolean | undefined
  readonly reason: string | undefined
  readonly policy: string | undefined
  readonly approval: string | undefined
  readonly rules: readonly string[]
  readonly outcome: JsonObject | undefined
  readonly attributes: JsonObject | undefined
  readonly details: JsonObject | undefined
  readonly usage: JsonObject | undefined
  readonly subject: JsonObject | undefined
  readonly subjectKind: string | undefined
  readonly replica: string
  /** The whole event, as it is exported. */
  readonly whole: JsonObject
}

export function recorded(row: EventRow): Recorded {
  const whole = toExported(row)
  const action = object(whole['action'])
  const id = text(action?.['id'])
  const name = text(action?.['name'])
  return {
    id: row.id,
    index: row.index,
    time: text(whole['time']),
    type: text(whole['type']) ?? 'unknown',
    action: id !== undefined && name !== undefined ? { id, name } : undefined,
    resource: text(whole['resource']),
    effect: text(whole['effect']),
    decision: text(whole['decision']),
    enforced: whole['enforced'] === false ? false : undefined,
    reason: text(whole['reason']),
    policy: text(whole['policy']),
    approval: text(whole['approval']),
    rules: texts(whole['rules']),
    outcome: object(whole['outcome']),
    attributes: object(whole['attributes']),
    details: object(whole['details']),
    usage: object(whole['usage']),
    subject: object(whole['subject']),
    subjectKind: text(whole['subject_kind']),
    replica: text(object(whole['source'])?.['replica']) ?? row.replica ?? 'unknown',
    whole,
  }
}

/** In milliseconds since 1970; `undefined` unless the year has four digits. */
export function timeOf({ time }: Recorded): number | undefined {
  const milliseconds = Date.parse(time ?? '')
  return milliseconds >= 0 && milliseconds < year10000 ? milliseconds : undefined
}

const year10000 = Date.UTC(10_000, 0)

export function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function count(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

export function object(value: JsonValue | undefined): JsonObject | undefined {
  const is = value !== null && typeof value === 'object' && !Array.isArray(value)
  return is ? (value as JsonObject) : undefined
}

export function texts(value: JsonValue | undefined): string[] {
  return list(value).filter((element) => typeof element === 'string')
}

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}
