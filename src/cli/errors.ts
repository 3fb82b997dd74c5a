import type { JsonObject } from '../core/json.ts'

/** Wrong use: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * A program that was run in our place has ended: with its exit code. It has said itself what there
 * is to say.
 */
export class ProgramEnded extends Error {
  override readonly name = 'ProgramEnded'
  readonly code: number

  constructor(code: number) {
    super(`It ended with ${code}.`)
    this.code = code
  }
}

/** The answer is no, or there was none: exit code 1. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly details: JsonObject

  constructor(message: string, details: JsonObject = {}, options?: ErrorOptions) {
    super(message, options)
    this.details = details
  }
}
