import type { KeyObject } from 'node:crypto'
import { openAnchors } from '../../audit/anchor/open.ts'
import type { AuditLog } from '../../audit/append.ts'
import { AuditDelivery, type Delivered } from '../../audit/delivery/deliver.ts'
import { destinationOf, settingsOf } from '../../audit/delivery/open.ts'
import type { KeptCheckpoint } from '../../audit/log/checkpoints.ts'
import { Sequencer } from '../../audit/log/sequencer.ts'
import { WordBuilder } from '../../audit/search/word-builder.ts'
import type { Config } from '../../config/schema.ts'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { UsageProjector } from '../../usage/projector.ts'

/** All work that follows from the audit log, which no agent waits for. */
export interface Background {
  /** Takes everything that is durable by now into the signed log. Rejects with a `StoreError`. */
  seal(): Promise<void>
  /** Begins to deliver the log. The destinations have to be registered by then. */
  deliver(): void
  /** Whether it has ended and not begun again. Nothing is lost then, but everything waits. */
  readonly down: boolean
  /**
   * Stops after a last turn, so that what this replica did is in the log and signed, as far as the
   * store answers.
   */
  close(): Promise<void>
}

export interface WorkDeps {
  readonly store: Store
  /** A store for work that can wait until there is time. */
  readonly leisure: Store
  readonly log: Log
  readonly audit: Pick<AuditLog, 'write' | 'linkWritten'>
  /** The newest first. A new list whenever they change. */
  readonly signing: () => readonly KeyObject[]
  readonly places: Pick<Config['audit'], 'anchor' | 'deliveries'>
  readonly onCheckpoint: (checkpoint: KeptCheckpoint) => void
  readonly onDelivered: (attempt: Delivered) => void
}

/** Does the work in this thread. Throws a `MistakesError` for an impossible witness. */
export function openWork(deps: WorkDeps): Background {
  const { store, leisure, log, audit, places, onCheckpoint } = deps
  const anchors = openAnchors(places.anchor, { store, log })
  const sequencer = new Sequencer({
    get signing() {
      return deps.signing()
    },
    ...{ store, audit, log },
    onCheckpoint: (checkpoint) => {
      onCheckpoint(checkpoint)
      for (const anchor of anchors) anchor.grown(checkpoint.size)
    },
  })
  const behind = [new UsageProjector(leisure, log), new WordBuilder(leisure, log)]
  let deliveries: AuditDelivery[] = []
  return {
    down: false,
    seal: () => sequencer.seal(),
    deliver() {
      deliveries = openDeliveries(deps)
    },
    async close() {
      await Promise.all(deliveries.map((it) => it.stop()))
      await Promise.all(behind.map((it) => it.close()))
      await sequencer.close()
      // The anchors keep the log's last checkpoint.
      await Promise.all(anchors.map((it) => it.close()))
    },
  }
}

function openDeliveries({ store, log, places, onDelivered }: WorkDeps): AuditDelivery[] {
  return Object.entries(places.deliveries).map(([name, delivery]) => {
    const destination = destinationOf(delivery)
    return new AuditDelivery({
      ...{ name, destination, store, log },
      settings: settingsOf(destination, delivery),
      personal: delivery.personal,
      every: delivery.every,
      maxEvents: delivery.max_events,
      onAttempt: onDelivered,
    })
  })
}
