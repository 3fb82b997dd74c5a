import { Holds } from '../approvals/hold.ts'
import { openAuditLog, type AuditLog } from '../audit/append.ts'
import type { Config } from '../config/schema.ts'
import { openSecrets, type Secrets } from '../config/secrets.ts'
import { openStoreWhenThere } from '../console/waiting-room.ts'
import { SecretKeys } from '../gate/governing/secret-keys.ts'
import { Outcomes } from '../gate/outcomes.ts'
import type { Store } from '../store/db.ts'
import { openLease, type Lease, type LeaseTimes } from '../store/lease.ts'
import { tellOutages } from '../store/outage.ts'
import type { Log } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { openBackground } from './background/open.ts'
import type { Background } from './background/work.ts'

/** What everything else is built on. */
export interface Foundation {
  readonly config: Config
  readonly log: Log
  readonly secrets: Secrets
  readonly secretKeys: SecretKeys
  readonly metrics: Metrics
  readonly store: Store
  readonly lease: Lease
  readonly leaseTimes: LeaseTimes
  readonly audit: AuditLog
  readonly background: Background
  readonly outcomes: Outcomes
  readonly holds: Holds
}

/**
 * Opens the foundation, and puts whatever it opens on `opened`. Waits for a store that is away,
 * until `signal` aborts.
 */
export async function openFoundation(
  config: Config,
  { log, times, signal }: { log: Log; times: LeaseTimes; signal: AbortSignal | undefined },
  opened: AsyncDisposableStack,
): Promise<Foundation> {
  const secrets = openSecrets(config.secrets.file)
  const metrics = new Metrics(config.resources.map(({ name }) => name))
  metrics.watchProcess()
  const store = opened.adopt(
    tellOutages(await openStoreWhenThere(config, log, signal), log),
    (it) => it.end(),
  )
  const lease = opened.adopt(await openLease(store, times), (it) =>
    // A store that is away when the gateway stops must not leave the rest open.
    it.close().catch((error: unknown) => {
      log.warn({ err: error }, 'the lease was not given back: others wait until it runs out')
    }),
  )
  const audit = opened.adopt(await openAuditLog({ store, lease, log, metrics }), (it) => it.close())
  const secretKeys = opened.adopt(
    await SecretKeys.open({ file: config.secrets.file, secrets, store, log }),
    (it) => it.close(),
  )
  const background = opened.adopt(
    openBackground({ config, store, lease, audit, secretKeys, metrics, log }),
    (it) => it.close(),
  )
  const outcomes = opened.adopt(new Outcomes(lease, log), (it) => it.close())
  const holds = opened.adopt(new Holds(store, log), (it) => it.stop())
  await holds.start()
  return {
    ...{ config, log, secrets, secretKeys, metrics, store, lease, leaseTimes: times },
    ...{ audit, background, outcomes, holds },
  }
}
