import { Problem } from '../../core/errors.ts'
import type { ProblemCode } from '../../core/reasons.ts'
import type { Unreadable } from './sql/statement.ts'
import type { NotUtf8 } from './wire/fault.ts'
import type { Report } from './wire/messages.ts'

/** What was decided at Bind may no longer be what the portal would do. */
export const boundTooEarly: Report = {
  severity: 'ERROR',
  code: '55000',
  message: 'the session has changed what names mean since this portal was bound',
  hint: 'Bind it again.',
}

/** Writes are remembered until their transaction ends, and there is no room for more. */
export const tooManyUncommitted: Report = {
  severity: 'ERROR',
  code: '54000',
  message: 'too many statements wait for the end of their transactions',
  detail: 'The gateway keeps each of them until then, to put on record what became of it.',
  hint: 'Commit more often, or load many rows with one statement, as COPY is.',
}

/** SQLSTATEs (PostgreSQL, appendix A); those that begin with SP are ours. */
const codes: Partial<Record<ProblemCode, string>> = {
  'approval-pending': 'SP001',
  'too-many-holds': '53400',
  'body-too-large': '54000',
  'store-unavailable': '58000',
  unauthenticated: '28000',
  'internal-error': 'XX000',
}

const hints: Partial<Record<ProblemCode, string>> = {
  'approval-pending':
    'Run the same statement with the same values again, once it is approved: it runs once then.',
  'approval-expired': 'Run the statement again to ask anew.',
  'approval-cancelled': 'Run the statement again to ask anew.',
  'approval-invalidated': 'Run the statement again to ask anew.',
  'too-many-holds': 'Wait for those that wait already, or cancel some.',
  'store-unavailable': 'Nothing was run. Try again when the audit store is back.',
  'internal-error': 'Nothing was run. Whoever runs the gateway finds the reason in its log.',
}

/**
 * What a client is told instead of an answer. Anything but a `Problem` is a defect of ours, and is
 * shown without its message.
 */
export function refusalOf(error: unknown): Report {
  if (!(error instanceof Problem)) {
    return refusalOf(new Problem('internal-error', 'Sallyport failed, and ran nothing.'))
  }
  const { code, members } = error
  return {
    severity: 'ERROR',
    code: codes[code] ?? '42501',
    message: messageOf(error),
    detail: detailOf(members),
    ...(hints[code] && { hint: hints[code] }),
  }
}

function messageOf({ code, message, members }: Problem): string {
  // The problem's own words are about HTTP.
  if (code === 'approval-pending') return `still held for approval ${approvalIn(members)}`
  return code === 'denied' ? `denied by policy: ${message}` : message
}

function detailOf(members: Problem['members']): string {
  const { rules, reason, action } = members
  const approval = approvalIn(members)
  return [
    Array.isArray(rules) && rules.length > 0 ? `Rule: ${rules.join(', ')}.` : '',
    typeof reason === 'string' ? `Reason: ${reason}.` : '',
    approval ? `Approval: ${approval}.` : '',
    typeof action === 'string' ? `Action: ${action}.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function approvalIn({ task }: Problem['members']): string {
  const id = task && typeof task === 'object' && 'id' in task ? task['id'] : null
  return typeof id === 'string' ? id : ''
}

/** Explains a denial that came about because the text could not be read. */
export function unreadableRefusal({ kind, why, position }: Unreadable, denied: Report): Report {
  const known = { syntax: '42601', text: '22021', 'too-deep': '54001', 'too-long': '54000' }
  return {
    ...denied,
    code: kind === 'parser' ? '42501' : known[kind],
    message: why,
    hint: 'What this gateway cannot read, it does not run, unless a rule allows everything here.',
    ...(position !== null && { position: position + 1 }),
  }
}

/** The server would refuse this text with the same words, and go on. */
export function notUtf8({ code, message }: NotUtf8): Report {
  return { severity: 'ERROR', code, message }
}

export const cancelled: Report = {
  severity: 'ERROR',
  code: '57014',
  message: 'canceling statement due to user request',
  detail: 'It has not run.',
}

/**
 * The server's own words. Nothing runs in a failed transaction, so nobody is asked for approval.
 */
export const inFailedTransaction: Report = {
  severity: 'ERROR',
  code: '25P02',
  message: 'current transaction is aborted, commands ignored until end of transaction block',
}

export function noSuchName(kind: 'prepared statement' | 'portal', name: string): Report {
  return {
    severity: 'ERROR',
    code: kind === 'portal' ? '34000' : '26000',
    message: `${kind} "${name}" does not exist`,
    detail: 'This session has not announced it to the gateway.',
  }
}

export function notByFetch(name: string): Report {
  return {
    severity: 'ERROR',
    code: '34000',
    message: `cursor "${name}" does not exist`,
    detail:
      'A portal of the protocol has this name: only the protocol can begin to execute it here.',
  }
}

export function noSuchFunction(oid: number): Report {
  return {
    severity: 'ERROR',
    code: '42883',
    message: `function with OID ${oid} does not exist`,
  }
}
