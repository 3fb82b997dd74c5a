import type { AppOptions, IPlugin } from '@microsoft/teams.apps'
import type { Log } from '../../telemetry/log.ts'

type Logger = NonNullable<AppOptions<IPlugin>['logger']>

/**
 * What Teams' library has to say, in our log. Not its debugging, which has whole messages; and of
 * errors their text alone: their other members hold requests, with tokens.
 */
export function loggerOf(log: Log): Logger {
  const warn = (...parts: unknown[]) => log.warn(parts.map(String).join(' '))
  const logger: Logger = {
    debug() {},
    trace() {},
    info: (...parts) => log.debug(parts.map(String).join(' ')),
    warn,
    error: warn,
    log: (level, ...parts) => {
      if (level === 'warn' || level === 'error') warn(...parts)
    },
    child: () => logger,
  }
  return logger
}
