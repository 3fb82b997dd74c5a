import { LogLevel, type Logger } from '@slack/bolt'
import type { Log } from '../../telemetry/log.ts'

/**
 * What Slack's libraries have to say, in our log. Not their debugging: it has whole messages, and
 * addresses that let in whoever knows them.
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
