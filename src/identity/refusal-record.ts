import type { Log } from '../telemetry/log.ts'
import { tokenHash } from './jwt.ts'
import type { Recorder } from './recorder.ts'
import type { Refusal } from './refusal.ts'

/** Events per second at most. Anybody can present nonsense, and must not be able to fill the audit log with it. */
const perSecond = 20

/** Puts refused credentials on record; those beyond the limit are counted in the next event that is written. */
export function createRefusalRecord(
  recorder: Recorder,
  log: Log,
): (refusal: Refusal, token: string) => void {
  let second = 0
  let written = 0
  let uncounted = 0

  return ({ reason, subject }, token) => {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) {
      second = now
      written = 0
    }
    if (written === perSecond) {
      uncounted += 1
      return
    }
    written += 1
    const details = {
      // Tells repeated tries with one credential apart from tries with many, and reveals nothing of it.
      credential: tokenHash(token).slice(0, 16),
      ...(uncounted > 0 && { more_since_the_last: uncounted }),
    }
    uncounted = 0
    // Nobody waits for it: whoever was refused is refused, also when this cannot be written.
    recorder
      .append({ type: 'identity.refused', subject, reason, details })
      .catch((error: unknown) => log.warn({ err: error, reason }, 'a refusal is not on record'))
  }
}
