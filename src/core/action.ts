import type { TouchedData } from './data-use.ts'
import type { JsonValue } from './json.ts'
import type { Subject } from './subject.ts'

/** `unknown` is the worst: the action may be any of the others. */
export type Effect = 'read' | 'write' | 'admin' | 'unknown'

/**
 * Stands for an attribute that could not be computed. Closed: no allow rule that looks at it
 * matches, and every hold and deny rule that looks at it does.
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
  /** Set if the body is a question to a model, whose text is not kept on record. */
  readonly question?: true
  /** Added by the gate; absent where the action touches nothing with a name. */
  readonly data?: TouchedData
  /** One line for people. Data, never mark-up. */
  readonly summary: string
  /**
   * What the agent says it is doing this for, which is a claim and never evidence; `null` if it
   * says nothing.
   */
  readonly agentReason: string | null
  /** W3C trace id (Trace Context Level 1, §3.2.2.3), or `null`. */
  readonly trace: string | null
  /** Its place in that trace; absent where nobody said. */
  readonly span?: Span
}

/** Spans of a trace, 16 hexadecimal digits each (W3C Trace Context Level 1, §3.2.2.4). */
export interface Span {
  /** The action's own span, which the upstream is given as its caller's. */
  readonly id?: string
  /** The span of its caller. */
  readonly parent?: string
}
