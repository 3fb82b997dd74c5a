import { Rejection } from './rejection.ts'
import type { Statement } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/** The values without which the server and the gateway would read a text differently. */
const only: Readonly<Partial<Record<string, string>>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
}

/**
 * The refusal of a text that visibly sets one of these to another value. It is an ordinary error,
 * and the session goes on. A change that no text shows ends the session (`requireReadable`).
 */
export function unreadableSetting(statements: readonly Statement[]): Report | null {
  for (const { session } of statements)
    for (const change of session) {
      if (change.kind !== 'set' || change.harmless || change.values === null) continue
      const wanted = only[change.name ?? '']
      if (wanted === undefined) continue
      const message = `${change.name} has to be ${wanted} on connections through this gateway`
      return { severity: 'ERROR', code: '0A000', message }
    }
  return null
}

/**
 * Throws a `Rejection` for a value with which the server reads text differently from the gateway.
 * Closed: the session ends.
 */
export function requireReadable(name: string, value: string): void {
  const wanted = only[name]
  if (wanted === undefined || wanted === value) return
  throw new Rejection('0A000', `${name} has to be ${wanted} on connections through this gateway`)
}
