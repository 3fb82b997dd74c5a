import { FewASecond } from '../core/few-a-second.ts'
import type { Log } from '../telemetry/log.ts'
import { tokenHash } from './jwt.ts'
import type { Recorder } from './recorder.ts'
import type { Refusal } from './refusal.ts'

/**
 * Events per second at most. Anybody can present nonsense, and must not be able to fill the audit
 * log with it.
 */
const perSecond = 20

/**
 * Puts refused credentials on record; those beyond the limit are counted in the next event that is
 * written.
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
      // Tells repeated tries with one credential apart from tries with many, and reveals nothing of
      // it.
      credential: tokenHash(token).slice(0, 16),
      ...(leftOut > 0 && { more_since_the_last: leftOut }),
    }
    // Nobody waits for it: whoever was refused is refused, also when this cannot be written.
    recorder
      .append({ type: 'identity.refused', subject, reason, details })
      .catch((error: unknown) => log.warn({ err: error, reason }, 'a refusal is not on record'))
  }
}
