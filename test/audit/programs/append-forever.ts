import { openAuditLog } from '../../../src/audit/append.ts'
import { openLease } from '../../../src/store/lease.ts'
import { openEmbedded } from '../../../src/store/pglite.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { createLog } from '../../../src/telemetry/log.ts'

// Appends until it is killed, sixteen at a time, and says of each action, a line at a time, that it is on record.
const target = process.argv[2]!
const store = await (target.startsWith('postgres:') ? openPostgres(target) : openEmbedded(target))
const lease = await openLease(store, { leaseMs: 2_000, marginMs: 200 })
const audit = await openAuditLog({ store, lease, log: createLog('error') })

async function forever(): Promise<never> {
  for (;;) {
    const id = crypto.randomUUID()
    await audit.append({
      type: 'action.decided',
      action: { id, name: 'http.request' },
      decision: 'allow',
      details: { padding: 'x'.repeat(500) },
    })
    process.stdout.write(`${id}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, forever))
