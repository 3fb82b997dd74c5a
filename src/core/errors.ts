import type { JsonObject } from './json.ts'
import { problems, type ProblemCode } from './reasons.ts'

/** RFC 9457 problem details, with Sallyport's members. */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  [member: string]: JsonObject[string]
}

/**
 * An error for its receiver to see: a stable code, what is wrong, and what to do about it. Any
 * other error is a defect, of ours or of a dependency, and is shown as `internal-error` without its
 * message.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly members: JsonObject

  constructor(code: ProblemCode, detail: string, members: JsonObject = {}, options?: ErrorOptions) {
    super(detail, options)
    this.name = 'Problem'
    this.code = code
    this.members = members
  }

  get status(): number {
    return problems[this.code].status
  }

  toJSON(): ProblemDetails {
    const { status, title } = problems[this.code]
    const type = `https://sallyport.dev/problems/${this.code}`
    return { type, title, status, detail: this.message, ...this.members }
  }
}

/** One mistake in a file that people write: where it is, what is wrong, and what to do. */
export interface Mistake {
  file: string
  /** Counts from 1; absent when the mistake has no place in the file. */
  line?: number
  column?: number
  message: string
  remedy?: string
}

/** All mistakes in a configuration or a set of policies, together. */
export class MistakesError extends Error {
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join('\n'))
    this.name = 'MistakesError'
    this.mistakes = mistakes
  }
}

export function formatMistake({ file, line, column, message, remedy }: Mistake): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return remedy ? `${place}  ${message}\n    → ${remedy}` : `${place}  ${message}`
}
