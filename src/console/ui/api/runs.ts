import { call } from './call.ts'
import type { AuditEvent } from './types.ts'

/** One action of a run, and everything that is on record about it. */
export interface RunAction {
  readonly id: string
  /** The action that called it; `null` where none of this run did. */
  readonly under: string | null
  /** Span of whoever else called it. */
  readonly caller: string | null
  readonly events: readonly AuditEvent[]
}

/** `GET /api/audit/traces/{trace}`. */
export interface Run {
  readonly trace: string
  readonly complete: boolean
  /** Actions that are not for this person to see. */
  readonly hidden: number
  readonly actions: readonly RunAction[]
  /** Events of it, or of its time, in whose place somebody put something else; for auditors. */
  readonly unreadable: readonly { readonly id: string; readonly action: string | null }[]
}

/** Throws `Failure`. */
export async function fetchRun(trace: string): Promise<Run> {
  const { body } = await call<Run>(`/api/audit/traces/${encodeURIComponent(trace)}`)
  return body
}
