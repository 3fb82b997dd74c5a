import type { AuditEvent } from '../api/types.ts'

/** Those of both, each once: `first` before `then`. */
export function joined(first: readonly AuditEvent[], then: readonly AuditEvent[]): AuditEvent[] {
  return [...new Map([...first, ...then].map((event) => [event.id, event])).values()]
}
