import type { PendingApproval } from '../support/gateway-client.ts'
import type { World } from './world.ts'

/** What somebody was told to have decided. */
export interface Vote {
  readonly approval: string
  readonly decision: 'approve' | 'deny' | 'cancel'
  readonly status: number
}

/** Look at what waits, and decide about it at random moments, at random replicas, sometimes several of them at once. */
export async function beApprovers(world: World, votes: Vote[], until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await world.pause(20, 400)
    const pending = await waiting(world)
    for (const approval of pending) {
      if (world.chance(0.3)) continue
      const moves = world.pick([
        ['approve'],
        ['approve'],
        ['approve'],
        ['approve', 'approve'],
        ['deny'],
        ['approve', 'deny'],
        ['approve', 'cancel'],
        ['cancel'],
        ['deny', 'cancel'],
      ] as const)
      void Promise.all(moves.map((move, index) => decide(world, votes, approval, move, index)))
      if (world.chance(0.5)) await world.pause(0, 100)
    }
  }
}

/** Leaves nothing open. */
export async function decideAll(world: World, votes: Vote[]): Promise<void> {
  for (;;) {
    const pending = await waiting(world)
    if (pending.length === 0) return
    for (const approval of pending) await decide(world, votes, approval, 'deny', 0)
  }
}

async function waiting(world: World): Promise<PendingApproval[]> {
  try {
    const signal = AbortSignal.timeout(5_000)
    const response = await world.any().person('dana', '/api/approvals?state=pending', { signal })
    if (response.status !== 200) return []
    return ((await response.json()) as { approvals: PendingApproval[] }).approvals
  } catch {
    return []
  }
}

async function decide(
  world: World,
  votes: Vote[],
  approval: PendingApproval,
  decision: Vote['decision'],
  index: number,
): Promise<void> {
  const { id } = approval
  const needsOwners = JSON.stringify(approval.action.payload['target'] ?? '').includes('/exports')
  const voter = needsOwners
    ? world.pick(['omar', 'lena'] as const)
    : (['dana', 'noor'] as const)[index % 2]!
  const at = world.any()
  try {
    const { status } =
      decision === 'cancel'
        ? await at.person('priya', `/api/approvals/${id}/cancel`, { method: 'POST' })
        : await at.vote(voter, approval, decision)
    votes.push({ approval: id, decision, status })
  } catch {
    // Its answer was lost, and it may have counted.
  }
}
