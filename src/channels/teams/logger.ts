import type { AppOptions, IPlugin } from '@microsoft/teams.apps'
import type { Log } from '../../telemetry/log.ts'

type Logger = NonNullable<AppOptions<IPlugin>['logger']>

/**
 * Passes what Teams' library logs on to our log, except for its debug output, which contains whole
 * messages. Of errors it takes only the message, because their other members contain requests with
 * tokens.
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
