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

/** All that is done behind the audit log, and that no agent waits for. */
export interface Background {
  /** Takes everything into the signed log that is durable by now. Rejects with `StoreError`. */
  seal(): Promise<void>
  /** Begins to deliver the log; where to has to be registered by then. */
  deliver(): void
  /** It ended, and has not begun again: everything is durable, and waits. */
  readonly down: boolean
  /**
   * After a last turn, so that what this replica did is in the log and signed, as far as the store
   * answers.
   */
  close(): Promise<void>
}

export interface WorkDeps {
  readonly store: Store
  /** For what can wait until there is time for it. */
  readonly leisure: Store
  readonly log: Log
  readonly audit: Pick<AuditLog, 'write' | 'linkWritten'>
  /** The newest first; another list whenever they change. */
  readonly signing: () => readonly KeyObject[]
  readonly places: Pick<Config['audit'], 'anchor' | 'deliveries'>
  readonly onCheckpoint: (checkpoint: KeptCheckpoint) => void
  readonly onDelivered: (attempt: Delivered) => void
}

/** Does it in this thread. Throws `MistakesError` for a witness that there cannot be. */
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
      // They keep its last checkpoint.
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
