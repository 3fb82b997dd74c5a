import { Rejection } from './rejection.ts'
import type { Statement } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/** What they have to be for a text to mean the same to the server as to whoever reads it here. */
const only: Readonly<Partial<Record<string, string>>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
}

/**
 * What a text is told that sets one of them to something else: that is refused like any mistake,
 * and the session goes on. A change that no text shows ends it.
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
 * Throws a `Rejection` for a setting with which the server reads text in another way than the
 * gateway. Closed: the session ends.
 */
export function requireReadable(name: string, value: string): void {
  const wanted = only[name]
  if (wanted === undefined || wanted === value) return
  throw new Rejection('0A000', `${name} has to be ${wanted} on connections through this gateway`)
}
