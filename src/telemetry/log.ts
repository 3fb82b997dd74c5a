import { pino, type Logger, type LoggerOptions } from 'pino'

export type Log = Logger

/**
 * Whether a line about this is left out, because somebody else reports it and counts. Asked only
 * for lines at the level of warnings or below.
 */
export type LeavesOut = (about: unknown) => boolean

// A property of each log, which all logs made from it inherit.
const filterOf = Symbol('filter')
interface Filter {
  leavesOut: LeavesOut
}

/**
 * Logs are JSON lines: what an agent sends is a JSON string there, never a line of its own.
 * Credentials are taken out by path, and are not logged in the first place; a test greps the output
 * of the whole suite for every secret that it uses.
 */
export function createLog(level: string, destination?: { write(line: string): void }): Log {
  const filter: Filter = { leavesOut: () => false }
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: {
      logMethod(args, method, level) {
        if (level > warning || !filter.leavesOut(args[0])) method.apply(this, args)
      },
      streamWrite: (line) => line.replace(obeyed, escaped),
    },
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
  const log = destination ? pino(options, destination) : pino(options)
  return Object.assign(log, { [filterOf]: filter })
}

// What JSON leaves as it is, and terminals obey: DEL, C1 controls, characters that change the
// direction of writing, and Unicode's line ends.
const obeyed = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const warning = pino.levels.values['warn']!

/** From now on leaves lines out of a log that `createLog` made, and of all logs made from it. */
export function leaveOut(log: Log, leavesOut: LeavesOut): void {
  const { [filterOf]: filter } = log as Log & { readonly [filterOf]: Filter }
  filter.leavesOut = leavesOut
}

/**
 * Writes a line that another thread has formatted, to where this log writes its own. The other
 * thread's log has to have the same level.
 */
export function writeLine(log: Log, line: string): void {
  const { [pino.symbols.streamSym]: destination } = log as Log & {
    [pino.symbols.streamSym]: { write(line: string): void }
  }
  destination.write(line)
}
