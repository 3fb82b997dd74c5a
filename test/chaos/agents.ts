import { call } from './http-agent.ts'
import { insert } from './sql-agent.ts'
import type { Toggle, Wish } from './wish.ts'
import type { World } from './world.ts'

/** Wants one thing after the other, until told to stop. */
export async function beAnAgent(world: World, wishes: Wish[], toggle: Toggle, until: AbortSignal) {
  while (!until.aborted) {
    const word = crypto.randomUUID()
    const kind = world.pick(['note', 'held', 'held', 'held', 'toggled', 'sql', 'sql'] as const)
    const body = JSON.stringify({ word, padding: 'x'.repeat(world.pick([0, 10, 1_000, 50_000])) })
    const salt = String(world.pick([1, 22, 333, 4444]))
    const wish: Wish = { word, kind, salt, body, told: [], denied: true }
    wishes.push(wish)
    await (kind === 'sql' ? insert(world, wish, until) : call(world, wish, toggle, until))
    await world.pause(0, 300)
  }
}
