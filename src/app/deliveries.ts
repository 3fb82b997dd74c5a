import { AuditDelivery } from '../audit/delivery/deliver.ts'
import { destinationOf, registerDelivery } from '../audit/delivery/open.ts'
import type { Foundation } from './foundation.ts'

/** Delivers the audit log to every place that is configured, from now on. */
export async function openDeliveries(
  { config, store, audit, log, metrics }: Foundation,
  opened: AsyncDisposableStack,
): Promise<void> {
  for (const [name, delivery] of Object.entries(config.audit.deliveries)) {
    const destination = destinationOf(delivery)
    await registerDelivery({ store, audit }, name, destination, delivery)
    const running = new AuditDelivery({
      ...{ name, destination, store, log },
      personal: delivery.personal,
      every: delivery.every,
      maxEvents: delivery.max_events,
      onAttempt: (attempt) => metrics.delivered(attempt),
    })
    opened.adopt(running, (it) => it.stop())
  }
}
