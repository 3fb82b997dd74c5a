import { createInterface } from 'node:readline/promises'
import type { Environment } from '../config/environment.ts'
import { UsageError } from './errors.ts'

/** What a command sees of the world outside. */
export interface Terminal {
  readonly environment: Environment
  /** The folder it was started in. */
  readonly folder: string
  /** Aborts when the user interrupts. */
  readonly interrupted: AbortSignal
  /** Results: one line, or several. */
  print(text: string): void
  /** Results, as bytes or text that goes on. Resolves when more can be taken. */
  write(chunk: Uint8Array | string): Promise<void>
  /** Everything that is not a result. */
  note(text: string): void
  /** Asks the person. Throws `UsageError` when there is nobody to ask. */
  ask(question: string): Promise<string>
}

export function processTerminal(interrupted: AbortSignal): Terminal {
  // A reader that has seen enough (`| head`) closes the pipe; that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    environment: process.env,
    folder: process.cwd(),
    interrupted,
    print: (text) => process.stdout.write(`${text}\n`),
    write: (chunk) =>
      new Promise((resolve, reject) =>
        process.stdout.write(chunk, (error) => (error ? reject(error) : resolve())),
      ),
    note: (text) => process.stderr.write(`${text}\n`),
    ask: async (question) => {
      if (!process.stdin.isTTY)
        throw new UsageError('This asks for a confirmation, and nobody is there.', 'Add --yes.')
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await lines.question(question, { signal: interrupted })
      } finally {
        lines.close()
      }
    },
  }
}
