import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { serveConnection } from './demo-connection.ts'
import { demoCustomers, demoOrders } from './demo-data.ts'
import { SharedSession } from './shared-session.ts'

export interface DemoDatabaseData {
  readonly port: number
  readonly user: string
  readonly password: string
}

const schema = `
  CREATE TABLE customers (id text PRIMARY KEY, name text NOT NULL, email text NOT NULL, plan text NOT NULL);
  CREATE TABLE orders (
    id text PRIMARY KEY,
    customer text NOT NULL REFERENCES customers,
    amount_cents integer NOT NULL CHECK (amount_cents > 0),
    items text[] NOT NULL
  );`

const { port, user, password } = workerData as DemoDatabaseData
// Before the database is there, which takes longer: whoever connects meanwhile waits.
const server = createServer()
server.listen(port, '127.0.0.1')
await once(server, 'listening')
const session = open()
server.on('connection', (socket) => {
  // A connection that breaks, or is no client of PostgreSQL, ends by itself; the others go on.
  serveConnection(socket, session, { user, password }).catch(() => socket.destroy())
})
parentPort!.postMessage({ port: (server.address() as AddressInfo).port }, [])
await session

async function open(): Promise<SharedSession> {
  const database = await PGlite.create()
  await database.exec(schema)
  for (const { id, name, email, plan } of demoCustomers)
    await database.query('INSERT INTO customers VALUES ($1, $2, $3, $4)', [id, name, email, plan])
  for (const { id, customer, amount_cents, items } of demoOrders)
    await database.query('INSERT INTO orders VALUES ($1, $2, $3, $4)', [
      id,
      customer,
      amount_cents,
      items,
    ])
  await database.exec(`
    CREATE ROLE ${user};
    GRANT SELECT, INSERT, UPDATE, DELETE ON customers, orders TO ${user};
    SET SESSION AUTHORIZATION ${user};`)
  return new SharedSession(database)
}
