import type { Run } from './run.ts'
import type { Statement } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/**
 * What the server still has to answer: one for each message, the client's or ours, that gets an
 * answer.
 */
export interface Expected {
  readonly kind: 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync'
  /** The action that the answer's rows belong to. */
  readonly run: Run | null
  /** The statements that it runs, in order, and the text that they are parts of. */
  readonly statements: readonly Statement[]
  readonly text: string
  /**
   * Set where the message was replaced by one that the server must refuse: what the client is told
   * instead of the server's error.
   */
  readonly refusal: Report | null
  /** Set for a question of the gateway's own. None of its answer is for the client. */
  readonly own: OwnQuestion | null
  /** Whether the run ends with this answer, rather than only getting more rows from it. */
  readonly ends: boolean
  /** Called once, with whether the server did what was asked or else refused or skipped it. */
  settled(succeeded: boolean): void
}

/** Receives rows in text form, as they come. */
export interface OwnQuestion {
  row(values: readonly (string | null)[]): void
  failed(code: string, message: string): void
}

const nothing = (): void => {}

const none: readonly Statement[] = []

export function expected(kind: Expected['kind'], more: Partial<Expected> = {}): Expected {
  const { run = null, statements = none, text = '', refusal = null, own = null } = more
  const { ends = true, settled = nothing } = more
  return { kind, run, statements, text, refusal, own, ends, settled }
}
