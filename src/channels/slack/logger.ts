import { LogLevel, type Logger } from '@slack/bolt'
import type { Log } from '../../telemetry/log.ts'

/**
 * Passes what Slack's libraries log on to our log, except for their debug output: that contains
 * whole messages, and URLs that give access to whoever knows them.
 */
export function loggerOf(log: Log): Logger {
  const text = (parts: unknown[]) => parts.map(String).join(' ')
  return {
    debug() {},
    info: (...parts: unknown[]) => log.debug(text(parts)),
    warn: (...parts: unknown[]) => log.warn(text(parts)),
    error: (...parts: unknown[]) => log.warn(text(parts)),
    setLevel() {},
    getLevel: () => LogLevel.INFO,
    setName() {},
  }
}
