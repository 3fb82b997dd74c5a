import { setTimeout as later } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { verifiedLog } from '../e2e/requests.ts'
import { storeKinds } from '../support/store.ts'
import { auditOf, runsOf, type Books } from './accounts.ts'
import { beAnAgent } from './agents.ts'
import { beApprovers, decideAll, type Vote } from './approvers.ts'
import { beFate, makePeace } from './fate.ts'
import type { Toggle, Wish } from './wish.ts'
import { startWorld, type World } from './world.ts'

const { CHAOS_SEED, CHAOS_ROUNDS = '1', CHAOS_SECONDS = '30' } = process.env
const seed = Number(CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31))
const rounds = Array.from({ length: Number(CHAOS_ROUNDS) }, (_, index) => index + 1)

/** Agents at a time. */
const crowd = 24

describe.skipIf(!storeKinds.includes('postgres'))(
  `whatever happens to two gateways, their store and what is behind them (needs PostgreSQL; seed ${seed})`,
  () => {
    const wishes: Wish[] = []
    const votes: Vote[] = []
    const toggle: Toggle = { phase: 0 }
    let world: World | undefined

    /** What is found, once nothing happens any more. */
    async function books({ direct, upstream, folder, any }: World): Promise<Books> {
      const { rows } = await direct.query<Books['rows'][0]>('SELECT word, salt FROM ran')
      const log = await verifiedLog(any(), folder)
      return { log, wishes, votes, arrivals: upstream.arrivals, rows }
    }

    it.each(rounds)(
      'round %i: an action runs once at most, as it was approved, and the log knows what became of it',
      { timeout: 15 * 60_000 },
      async () => {
        world ??= await startWorld(seed)
        const here = world
        const story: string[] = []
        const [storm, after] = [new AbortController(), new AbortController()]
        here.upstream.storm()
        const fate = beFate(here, toggle, story, storm.signal)
        const approvers = beApprovers(here, votes, after.signal)
        const agents = Array.from({ length: crowd }, () =>
          beAnAgent(here, wishes, toggle, storm.signal),
        )
        await later(Number(CHAOS_SECONDS) * 1_000)
        storm.abort()
        await fate
        makePeace(here)
        await Promise.all(agents)
        after.abort()
        await approvers
        await decideAll(here, votes)

        // The dead are buried, and late evidence comes in.
        const wrong = async () => auditOf(await books(here))
        const soon = { timeout: 120_000, interval: 1_000 }
        await expect.poll(wrong, { ...soon, message: story.join('\n') }).toEqual([])
        const ran = runsOf((await books(here)).log).length
        process.stdout.write(
          `${story.length} blows, ${wishes.length} wishes, ${ran} runs, ${here.upstream.arrivals.length} arrivals\n`,
        )
        expect(ran, 'something ran, or this test sees nothing').toBeGreaterThan(0)
      },
    )
  },
)
