import type { Standing } from '../approvals/standing.ts'
import { asProblem } from './commit.ts'
import type { GateContext } from './context.ts'

/** How an approval stands now. Throws `store-unavailable`. */
export async function look(ctx: GateContext, id: string): Promise<Standing> {
  try {
    const standing = await ctx.holds.look(id)
    if (standing) return standing
  } catch (error) {
    throw asProblem(error)
  }
  throw new Error(`approval ${id} has vanished`)
}
