import { Problem } from '../core/errors.ts'
import { isSuperseded } from '../store/generation.ts'
import type { GateContext } from './context.ts'

/**
 * Does what rests on a decision. If other policies come into force meanwhile, once more, by those.
 * Closed: a replica that cannot keep up with them decides nothing that counts, and throws
 * `policies-changed`.
 */
export async function decidedAnew<T>(ctx: GateContext, work: () => Promise<T>): Promise<T> {
  // The first try costs nothing; the second is by the policies that refused it.
  try {
    return await work()
  } catch (error) {
    if (!isSuperseded(error)) throw error
  }
  await ctx.catchUp()
  try {
    return await work()
  } catch (error) {
    throw isSuperseded(error) ? policiesChanged(error) : error
  }
}

export function policiesChanged(cause?: unknown): Problem {
  const detail =
    'Other policies came into force, and this has not been decided by them. Send it again.'
  return new Problem('policies-changed', detail, {}, { cause })
}
