import { version } from '../../core/version.ts'
import { whateverIsThere, type EventRow } from '../exported.ts'
import { kindOf } from './ocsf/kinds.ts'
import { list, object, recorded, text, timeOf, type Recorded } from './ocsf/recorded.ts'
import { severityOf } from './ocsf/status.ts'

/** CEF's severity, up to 10, by OCSF's from 1 to 5. */
const severities: Readonly<Record<number, number>> = { 1: 2, 3: 6, 4: 8, 5: 10 }

/**
 * An event as one line of ArcSight's Common Event Format (CEF 0, revision 27), without a line end.
 * Good for alarms and dashboards only, because the format cuts values at its own lengths. `cn1` is
 * the index in the log and `externalId` the id, by which the whole event is found.
 */
export const cefLine = whateverIsThere((row) => {
  const event = recorded(row)
  const { name, severity } =
    row.body === null ? absent(row) : { name: event.type, severity: severityIn(event) }
  const head = ['Sallyport', 'Sallyport', version, event.type, name, severities[severity]]
  const values = Object.entries(extension(event, row)).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : `${key}=${inExtension(key, String(value))}`,
  )
  return `CEF:0|${head.map((field) => inHead(String(field))).join('|')}|${values.join(' ')}`
})

function absent({ retained }: EventRow) {
  return retained
    ? { name: 'Kept elsewhere: only its hashes are here.', severity: 1 }
    : { name: 'The link is there, and its event is not.', severity: 5 }
}

/** OCSF's severity, from 1 to 5. */
function severityIn(event: Recorded): number {
  const method = text(object(event.attributes?.['http'])?.['method'])
  const kind = kindOf({ ...event, action: event.action?.name, method })
  return severityOf(event, kind)['severity_id'] as number
}

function extension(event: Recorded, { hash }: EventRow) {
  const { subject, attributes, outcome, decision, enforced } = event
  const http = object(attributes?.['http'])
  const named = text(subject?.['subject'])
  const actor = object(list(subject?.['chain'])[0])
  return {
    rt: timeOf(event),
    externalId: event.id,
    deviceExternalId: event.replica,
    cat: event.action?.name,
    act:
      decision === undefined ? undefined : `${decision}${enforced === false ? ' (observed)' : ''}`,
    outcome: text(outcome?.['result']),
    reason: text(outcome?.['error']) ?? event.reason,
    suser: named,
    suid: named === undefined ? undefined : `${text(subject?.['issuer']) ?? ''} ${named}`,
    sourceServiceName: text(actor?.['subject']),
    destinationServiceName: event.resource,
    requestMethod: text(http?.['method']),
    request: text(http?.['path']),
    msg: text(event.details?.['summary']),
    ...labelled('cn1', 'index', event.index),
    ...labelled('cn2', 'status', outcome?.['status']),
    ...labelled('cn3', 'rows', outcome?.['rows']),
    ...labelled('cs1', 'rules', event.rules.join(',')),
    ...labelled('cs2', 'approval', event.approval),
    ...labelled('cs3', 'action', event.action?.id),
    ...labelled('cs4', 'policy', event.policy),
    ...labelled('cs5', 'effect', event.effect),
    ...labelled('cs6', 'hash', hash?.toString('hex')),
  }
}

type Value = string | number | undefined

function labelled(key: string, label: string, value: unknown): Record<string, Value> {
  const is = (typeof value === 'string' && value !== '') || typeof value === 'number'
  return is ? { [key]: value, [`${key}Label`]: label } : {}
}

/** In characters, from CEF's dictionary; 1023 for all other keys. */
const lengths: Readonly<Record<string, number>> = {
  externalId: 40,
  deviceExternalId: 255,
  act: 63,
  outcome: 63,
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`cs${n}`, 4000])),
}
const usual = 1023

function cut(value: string, length: number): string {
  if (value.length <= length) return value
  // Do not cut a surrogate pair in half.
  return `${value.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

function inHead(field: string): string {
  return escaped(cut(field, usual).replaceAll(/[\r\n]/g, ' '), /[\\|]/g)
}

function inExtension(key: string, value: string): string {
  return escaped(cut(value, lengths[key] ?? usual), /[\\=]/g)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
}

// C0, DEL, C1 and the line ends of Unicode, except the two that CEF has escapes for.
const control = /(?![\r\n])[\p{Cc}\u2028\u2029]/gu

/**
 * The format has no escape for other control characters. They are written as in JSON, behind an
 * escaped backslash.
 */
function escaped(value: string, special: RegExp): string {
  return value
    .replace(special, String.raw`\$&`)
    .replace(control, (it) => String.raw`\\u` + it.charCodeAt(0).toString(16).padStart(4, '0'))
}
