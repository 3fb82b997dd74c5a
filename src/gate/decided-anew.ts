import { Problem } from '../core/errors.ts'
import { isSuperseded } from '../store/generation.ts'
import type { GateContext } from './context.ts'

/**
 * Does work that rests on a decision. If other policies come into force meanwhile, does it once
 * more by those. Closed: a replica that cannot keep up decides nothing, and this rejects with
 * `policies-changed`.
 */
export async function decidedAnew<T>(ctx: GateContext, work: () => Promise<T>): Promise<T> {
  // The first try reads nothing. The second goes by the policies that refused the first.
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
