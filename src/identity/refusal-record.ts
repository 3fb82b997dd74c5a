import { FewASecond } from '../core/few-a-second.ts'
import type { Log } from '../telemetry/log.ts'
import { tokenHash } from './jwt.ts'
import type { Recorder } from './recorder.ts'
import type { Refusal } from './refusal.ts'

/**
 * The most events written per second. Anybody can send nonsense, and must not be able to fill the
 * audit log with it.
 */
const perSecond = 20

/**
 * Puts refused credentials on record. Those beyond the limit are only counted, and the next event
 * that is written has their number.
 */
export function createRefusalRecord(
  recorder: Recorder,
  log: Log,
): (refusal: Refusal, token: string) => void {
  const few = new FewASecond(perSecond)

  return ({ reason, subject }, token) => {
    const leftOut = few.pass()
    if (leftOut === null) return
    const details = {
      // Shows whether somebody tried one credential many times or many credentials, without
      // revealing any of them.
      credential: tokenHash(token).slice(0, 16),
      ...(leftOut > 0 && { more_since_the_last: leftOut }),
    }
    // Not awaited: the credential is refused even if this cannot be written.
    recorder
      .append({ type: 'identity.refused', subject, reason, details })
      .catch((error: unknown) => log.warn({ err: error, reason }, 'a refusal is not on record'))
  }
}
