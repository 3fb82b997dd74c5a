import { run } from './run.ts'
import { processTerminal } from './terminal.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first one asks for an orderly end; who sends a second one does not want to wait for it.
    if (interrupted.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    interrupted.abort(signal)
  })
}
process.exitCode = await run(process.argv.slice(2), processTerminal(interrupted.signal))
