import { pino, type Logger } from 'pino'

export type Log = Logger

/**
 * Logs are JSON lines: what an agent sends is a JSON string there, never a line of its own. Credentials are taken out by path, and
 * are not logged in the first place; a test greps the output of the whole suite for every secret that it uses.
 */
export function createLog(level: string, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        'token',
        'authorization',
        'cookie',
        'password',
        'secret',
        'headers',
        '*.token',
        '*.authorization',
        '*.cookie',
        '*.password',
        '*.secret',
        '*.headers',
      ],
      censor: '[redacted]',
    },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** Writes a line that another thread has made with a log of the same level, where this log writes its own. */
export function writeLine(log: Log, line: string): void {
  const { [pino.symbols.streamSym]: destination } = log as Log & {
    [pino.symbols.streamSym]: { write(line: string): void }
  }
  destination.write(line)
}
