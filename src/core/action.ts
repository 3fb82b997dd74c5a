import type { TouchedData } from './data-use.ts'
import type { JsonValue } from './json.ts'
import type { Subject } from './subject.ts'

/** `unknown` is the worst: it may be anything that the others are. */
export type Effect = 'read' | 'write' | 'admin' | 'unknown'

/**
 * In the place of an attribute that could not be computed. No allow rule that looks at it matches;
 * every hold and deny rule that looks at it does.
 */
export class Unknown {
  /** Why, for the explanation and the audit log. */
  readonly unknown: string
  constructor(why: string) {
    this.unknown = why
  }
}

export type Attribute = JsonValue | Unknown | { readonly [name: string]: JsonValue | Unknown }

/** By protocol, then by name: `attributes.http.path` is what policies call `action.http.path`. */
export type Attributes = Readonly<Record<string, Readonly<Record<string, Attribute>>>>

/** One intercepted request, statement or tool call. */
export interface Action {
  /** UUIDv7 (RFC 9562 §5.7). */
  readonly id: string
  /** `http.request`, `sql.statement`, `mcp.tool_call`, `tcp.connect` … */
  readonly name: string
  readonly subject: Subject
  /** The configured resource's name. */
  readonly resource: string
  readonly effect: Effect
  readonly attributes: Attributes
  /** Its body is a question to a model: none of its text is kept on record. Left out otherwise. */
  readonly question?: true
  /** Put there by the gate; absent where it touches nothing that has a name. */
  readonly data?: TouchedData
  /** One line for people. Data, never mark-up. */
  readonly summary: string
  /**
   * What the agent says that it is doing this for: its claim, never evidence. `null` if it says
   * nothing.
   */
  readonly agentReason: string | null
  /** W3C trace id (Trace Context Level 1, §3.2.2.3), or `null`. */
  readonly trace: string | null
  /** Where it is in that trace; absent where nobody said. */
  readonly span?: Span
}

/** Spans of a trace, 16 hexadecimal digits each (W3C Trace Context Level 1, §3.2.2.4). */
export interface Span {
  /** The action's own: what its upstream was given as the caller. */
  readonly id?: string
  /** Its caller's. */
  readonly parent?: string
}
