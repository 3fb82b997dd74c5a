import { execFile } from 'node:child_process'
import type { Terminal } from '../../src/cli/terminal.ts'
import { UsageError } from '../../src/cli/errors.ts'
import { run } from '../../src/cli/run.ts'

export interface Session {
  readonly code: number
  readonly out: string
  readonly notes: string
}

/** Runs `sallyport …` in this process, as a person would in a folder, with an environment, giving these answers. */
export async function sallyport(
  argv: readonly string[],
  {
    environment = {},
    folder = '/nonexistent',
    answers = [],
    interrupted = new AbortController().signal,
    onPrint = () => {},
    onNote = () => {},
  }: {
    environment?: Record<string, string>
    folder?: string
    answers?: readonly string[]
    interrupted?: AbortSignal
    onPrint?: (text: string) => void
    onNote?: (text: string) => void
  } = {},
): Promise<Session> {
  const out: string[] = []
  const notes: string[] = []
  const left = [...answers]
  const terminal: Terminal = {
    environment,
    folder,
    interrupted,
    print: (text) => {
      out.push(`${text}\n`)
      onPrint(text)
    },
    write: async (chunk) => {
      out.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    },
    note: (text) => {
      notes.push(text)
      onNote(text)
    },
    run: (program, args, env) =>
      new Promise((resolve) => {
        const child = execFile(program, args, { env: { ...env } }, (_error, stdout, stderr) => {
          out.push(stdout)
          notes.push(stderr)
          resolve(child.exitCode ?? 1)
        })
        child.stdin!.end()
      }),
    ask: async () => {
      const answer = left.shift()
      if (answer === undefined) throw new UsageError('Nobody is there.', 'Add --yes.')
      return answer
    },
  }
  const code = await run(argv, terminal)
  return { code, out: out.join(''), notes: notes.join('\n') }
}
