import { run } from './run.ts'
import { processTerminal } from './terminal.ts'

// npm hands on a signal that the terminal has sent to all of us already: within these milliseconds,
// two are one.
const sameSignal = 500

const interrupted = new AbortController()
let since = 0

function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  if (!interrupted.signal.aborted) {
    since = performance.now()
    interrupted.abort(signal)
  } else if (performance.now() - since > sameSignal) {
    // The first one asks for an orderly end; whoever sends a second one does not want to wait for
    // it.
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
}

process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)

// Told to end, npm and npx end the shell between us, which tells nobody: we would go on, and keep
// ports and data.
if (process.env['npm_command']) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    interrupt('SIGTERM')
  }, 200)
  watch.unref()
}

process.exitCode = await run(process.argv.slice(2), processTerminal(interrupted.signal))
