import type { Socket } from 'node:net'
import pg from 'pg'
import type { Told, Wish } from './wish.ts'
import { databasePort, type World } from './world.ts'

/** Wants a row to be there, and tries until it is, or is not to be. */
export async function insert(world: World, wish: Wish, until: AbortSignal) {
  for (let attempt = 0; attempt < 4 && !until.aborted; attempt++) {
    const told = await insertOnce(world, wish)
    wish.told.push(told)
    if (told.status !== null || told.code === '42501') return
    await world.pause(50, 1_000)
  }
}

async function insertOnce(world: World, { word, salt }: Wish): Promise<Told> {
  const gateway = world.any()
  const client = new pg.Client({
    host: '127.0.0.1',
    port: databasePort(gateway),
    database: world.database,
    user: 'agent',
    password: await gateway.agentToken(),
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => undefined)
  // Without a goodbye.
  const leave = () =>
    (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy()
  const leaving = setTimeout(leave, world.chance(0.2) ? 500 : 30_000)
  try {
    await client.connect()
    const reason = `/* sallyport: reason=${word} */`
    // What is rolled back with its transaction has not happened.
    const begins = world.chance(0.3)
    if (begins) await client.query('BEGIN')
    if (salt === '22') await client.query(`${reason} INSERT INTO ran VALUES ('${word}', '22')`)
    else await client.query(`${reason} INSERT INTO ran VALUES ($1, $2)`, [word, salt])
    if (begins) await client.query('COMMIT')
    return { status: 200, code: null, action: null }
  } catch (error) {
    return { status: null, code: (error as { code?: string }).code ?? null, action: null }
  } finally {
    clearTimeout(leaving)
    leave()
  }
}
