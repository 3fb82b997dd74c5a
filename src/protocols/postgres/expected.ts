import type { Run } from './run.ts'
import type { Statement } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/**
 * What the server still has to answer: one for each message of the client, or of ours, that gets an
 * answer.
 */
export interface Expected {
  readonly kind: 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync'
  /** The action that its rows belong to. */
  readonly run: Run | null
  /** The statements that it runs, in order, and the text that they are parts of. */
  readonly statements: readonly Statement[]
  readonly text: string
  /**
   * The message was replaced by one that the server must refuse; this is what the client is told
   * instead of the server's error.
   */
  readonly refusal: Report | null
  /** A question of the gateway's own: nothing of the answer is for the client. */
  readonly own: OwnQuestion | null
  /** Whether a run ends with it, and is not only fed by it. */
  readonly ends: boolean
  /** Called once: the server did it, or refused or skipped it. */
  settled(succeeded: boolean): void
}

/** Rows of text, as they come. */
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
