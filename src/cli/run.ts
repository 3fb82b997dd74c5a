import { CommanderError, type Command } from 'commander'
import { formatMistake, MistakesError, Problem } from '../core/errors.ts'
import { StoreError } from '../store/db.ts'
import { ProgramEnded, Refusal, UsageError } from './errors.ts'
import { createProgram } from './program.ts'
import { shortPath } from './short-path.ts'
import type { Terminal } from './terminal.ts'
import { visible, visibleLines } from '../core/visible.ts'

/** Runs one command line. Resolves to the exit code: 0, 1 (it says no) or 2 (wrong use). */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const program = createProgram(terminal)
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    return explain(error, terminal)
  }
}

const everyCommand = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(everyCommand),
]

function explain(error: unknown, terminal: Terminal): number {
  // Commander has said it already; asking for help is no mistake.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof ProgramEnded) return error.code
  if (error instanceof UsageError) {
    terminal.note(`${visible(error.message)}\n    → ${visible(error.remedy)}`)
    return 2
  }
  if (error instanceof MistakesError) {
    const mistakes = error.mistakes.map((mistake) =>
      formatMistake({ ...mistake, file: shortPath(mistake.file, terminal.folder) }),
    )
    terminal.note(visibleLines(mistakes.join('\n')).join('\n'))
    return 1
  }
  if (error instanceof Refusal || error instanceof Problem) {
    terminal.note(visibleLines(error.message).join('\n'))
    return 1
  }
  if (error instanceof StoreError) {
    terminal.note(notFromStore(error))
    return 1
  }
  // A defect, then: whoever mends it needs the stack.
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}

function notFromStore(error: StoreError): string {
  const said = `(${error.code}): ${visible(error.message)}`
  if (error.ambiguous) return `The store does not answer ${said}`
  // Classes of SQLSTATE: invalid authorization, invalid catalog name.
  const turnedAway = error.code.startsWith('28') || error.code.startsWith('3D')
  return `The store says no ${said}${turnedAway ? '\n    → Look at the user, the password and the database in its URL.' : ''}`
}
