import { openAnchors } from '../../audit/anchor/open.ts'
import type { AuditLog } from '../../audit/append.ts'
import type { Config } from '../../config/schema.ts'
import type { SecretKeys } from '../../gate/governing/secret-keys.ts'
import type { Store } from '../../store/db.ts'
import type { Lease } from '../../store/lease.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { BackgroundThread } from './background-thread.ts'
import type { ThreadNews } from './messages.ts'
import { restingStore } from './resting-store.ts'
import { openWork, type Background } from './work.ts'

interface Deps {
  readonly config: Config
  readonly store: Store
  readonly lease: Lease
  readonly audit: AuditLog
  readonly secretKeys: SecretKeys
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * Opens the background work, with PostgreSQL in a thread of its own. The embedded store belongs to
 * one process and has one session, so there the work is done in this thread, between other things.
 * Throws a `MistakesError`.
 */
export function openBackground(deps: Deps): Background {
  const { config, store, lease, audit, secretKeys, metrics, log } = deps
  const places = { anchor: config.audit.anchor, deliveries: config.audit.deliveries }
  const signing = () => secretKeys.signing
  if (!config.store) {
    return openWork({
      ...{ store, log, audit, signing, places },
      leisure: restingStore(store),
      onCheckpoint: (checkpoint) => metrics.checkpointed(checkpoint),
      onDelivered: (attempt) => metrics.delivered(attempt),
    })
  }
  // Opened here to report mistakes to whoever starts the gateway. The thread could only log them.
  openAnchors(places.anchor, { store, log })
  const thread = new BackgroundThread({
    url: config.store.url,
    replica: lease.replica,
    ...{ places, signing, log },
    onNews: (news) => hear(deps, news),
    onDeath: () => metrics.backgroundDied(),
  })
  secretKeys.onSigning(() => thread.rekey())
  return thread
}

function hear({ audit, metrics }: Deps, news: ThreadNews): void {
  if ('checkpoint' in news) metrics.checkpointed(news.checkpoint)
  if ('delivered' in news) metrics.delivered(news.delivered)
  if ('written' in news) audit.linkWritten()
}
