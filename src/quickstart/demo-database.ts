import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { DemoDatabaseData } from './demo-database-worker.ts'

export interface DemoDatabase {
  readonly port: number
  readonly user: string
  /** What its clients have to know. The gateway does; agents never see it. */
  readonly password: string
  close(): Promise<void>
}

// The build has .js files only.
const program = new URL(
  import.meta.url.endsWith('.ts') ? './demo-database-worker.ts' : './demo-database-worker.js',
  import.meta.url,
)

/**
 * The same company's database on loopback, in memory, in a thread of its own. Port 0 takes any free
 * one; a password that is not given is made. Rejects when the port is taken.
 */
export async function startDemoDatabase({
  port,
  password = randomBytes(24).toString('base64url'),
}: {
  port: number
  password?: string
}): Promise<DemoDatabase> {
  const user = 'orders_app'
  const workerData: DemoDatabaseData = { port, user, password }
  const worker = new Worker(program, { workerData })
  const [listening] = (await once(worker, 'message')) as [{ port: number }]
  return {
    port: listening.port,
    user,
    password,
    close: async () => void (await worker.terminate()),
  }
}
