import { openAuditLog, type AuditLog } from '../../src/audit/append.ts'
import { exportNdjson, openExport } from '../../src/audit/export/ndjson.ts'
import type { Span } from '../../src/audit/export/stretches.ts'
import type { EventInput } from '../../src/core/event.ts'
import type { Subject } from '../../src/core/subject.ts'
import type { Store } from '../../src/store/db.ts'
import { openLease, type Lease, type LeaseTimes } from '../../src/store/lease.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { atEnd } from './store.ts'

export const quiet = createLog('error')

export interface TestReplica {
  readonly lease: Lease
  readonly audit: AuditLog
}

/** Nobody loses it by being busy; who is to lose it is taken for dead by the test. */
const longLease: LeaseTimes = { leaseMs: 600_000, marginMs: 2_000 }

/** A replica with its lease and its audit log. It ends after the last test of the file. */
export async function startReplica(store: Store): Promise<TestReplica> {
  const lease = await openLease(store, longLease)
  const audit = await openAuditLog({ store, lease, log: quiet })
  atEnd(async () => {
    await audit.close()
    await lease.close()
  })
  return { lease, audit }
}

export const agent: Subject = {
  issuer: 'https://idp.example.com',
  subject: 'agent-7',
  kind: 'agent',
  groups: ['agents'],
  owner: { issuer: 'https://idp.example.com', subject: 'alice' },
  chain: [],
  related: [],
  claims: { scope: 'crm' },
}

/** The intent of one allowed request, or whatever `changes` make of it. */
export function anIntent(changes: Partial<EventInput> = {}): EventInput {
  return {
    type: 'action.decided',
    subject: agent,
    action: { id: crypto.randomUUID(), name: 'http.request' },
    resource: 'crm',
    effect: 'read',
    attributes: { http: { method: 'GET', path: '/v1/customers/17' } },
    decision: 'allow',
    reason: 'rule-allowed',
    rules: ['agents-read-crm'],
    policy: 'a'.repeat(64),
    ...changes,
  }
}

export async function exported(store: Store, span?: Span): Promise<string[]> {
  const lines: string[] = []
  for await (const line of exportNdjson(store, await openExport(store, span))) lines.push(line)
  return lines
}

/** Waits for what another promise chain brings about; a test that waits in vain runs into its time limit. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}
