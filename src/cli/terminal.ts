import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
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
  /**
   * Gives the terminal to a program, Ctrl-C included. Resolves to its exit code. Throws
   * `UsageError` when there is no such program.
   */
  run(program: string, args: readonly string[], environment: Environment): Promise<number>
  /** Asks the person. Throws `UsageError` when there is nobody to ask. */
  ask(question: string): Promise<string>
}

export function processTerminal(interrupted: AbortSignal): Terminal {
  // A reader that has seen enough (`| head`) closes the pipe, which ends us as SIGPIPE ends others
  // (128 + 13): nothing to explain, and yet no answer, least of all of a verifier, that was yes.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(141)
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
    run: runProgram,
    ask: async (question) => {
      if (!process.stdin.isTTY)
        throw new UsageError(
          'This asks for a confirmation, and there is no terminal to ask at.',
          'Add --yes.',
        )
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await lines.question(question, { signal: interrupted })
      } finally {
        lines.close()
      }
    },
  }
}

async function runProgram(
  program: string,
  args: readonly string[],
  environment: Environment,
): Promise<number> {
  // Ctrl-C goes to both of us. It is for the program: psql cancels a statement by it, and goes on.
  process.removeAllListeners('SIGINT').on('SIGINT', () => undefined)
  const child = spawn(program, args, { stdio: 'inherit', env: { ...environment } })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + constants.signals[signal!]
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new UsageError(
      `${program} cannot be started (${code}).`,
      'Install it, or name another program behind `--`.',
    )
  }
}
