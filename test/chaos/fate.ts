import pg from 'pg'
import type { Toggle } from './wish.ts'
import type { World } from './world.ts'

/** What can happen to one of the gateways. */
const toReplicas = ['kill', 'kill', 'terminate', 'stop', 'stop'] as const

/** What can happen to everything else. */
const around = [
  'restart the store',
  'freeze the store',
  'cut the upstream',
  'cut the database',
  'cut the store',
  'toggle',
  'toggle',
] as const

type Blow = (typeof toReplicas)[number] | (typeof around)[number]

/**
 * One thing after the other goes wrong with one of the gateways, and with all that is around them at the same time, and is mended again. What happened is in `story`.
 */
export async function beFate(world: World, toggle: Toggle, story: string[], until: AbortSignal) {
  const goOn = async (blows: readonly Blow[]) => {
    while (!until.aborted) {
      await world.pause(500, 4_000)
      const [blow, victim] = [world.pick(blows), world.pick([0, 1] as const)]
      story.push(`${new Date().toISOString()} ${blow} ${victim}`)
      await strike(world, toggle, blow, victim)
    }
  }
  await Promise.all([goOn(toReplicas), goOn(around)])
}

async function strike(world: World, toggle: Toggle, blow: Blow, victim: 0 | 1) {
  const { replicas, store, upstream, direct } = world
  const gateway = replicas[victim]
  switch (blow) {
    case 'kill':
    case 'terminate':
      gateway.signal(blow === 'kill' ? 'SIGKILL' : 'SIGTERM')
      if (blow === 'terminate' && world.chance(0.3)) {
        await world.pause(0, 500)
        gateway.signal('SIGKILL')
      }
      await gateway.ended
      await world.pause(0, 2_000)
      replicas[victim] = await startAgain(world)
      return
    case 'stop':
      // As long as its lease, and less, and more.
      gateway.signal('SIGSTOP')
      await world.pause(100, 12_000)
      gateway.signal('SIGCONT')
      return
    case 'restart the store':
      await store.stop()
      await world.pause(0, 2_000)
      await store.start()
      return
    case 'freeze the store':
      store.freeze()
      await world.pause(100, 8_000)
      store.goOn()
      return
    case 'cut the upstream':
      upstream.cut()
      return
    case 'cut the database':
      await direct.query(endOthers)
      return
    case 'cut the store':
      await cutStore(store.url('sallyport', 'postgres'))
      return
    case 'toggle': {
      toggle.phase = NaN
      const denies = world.chance(0.5)
      world.writeToggle(denies)
      await inForce(world, denies ? 'deny' : 'hold')
      phases += 2
      toggle.phase = denies ? phases + 1 : phases
    }
  }
}

/** Without a store, it ends instead. */
async function startAgain(world: World): Promise<World['replicas'][0]> {
  for (;;) {
    try {
      return await world.start()
    } catch {
      await world.pause(100, 500)
    }
  }
}

let phases = 0

const endOthers =
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5'

async function cutStore(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query(endOthers)
  await client.end()
}

/** Asks as an agent does, until one replica says so: from then on, no other may think otherwise. */
async function inForce(world: World, verdict: string): Promise<void> {
  for (;;) {
    const init = { method: 'POST', headers: { prefer: 'wait=0' }, body: 'which' }
    const signal = AbortSignal.timeout(5_000)
    const answer = await world
      .any()
      .agent('/crm/v1/toggled', { ...init, signal })
      .catch(() => null)
    const text = (await answer?.text().catch(() => '')) ?? ''
    if (text.includes(verdict === 'deny' ? 'problems/denied' : 'approval-pending')) return
    await world.pause(50, 200)
  }
}

/** Everything works again. */
export function makePeace({ replicas, store, upstream }: World): void {
  store.goOn()
  upstream.calm()
  for (const replica of replicas) replica.signal('SIGCONT')
}
