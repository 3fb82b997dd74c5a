import { destinationOf, registerDelivery } from '../audit/delivery/open.ts'
import type { Foundation } from './foundation.ts'

/** Delivers the audit log to every place that is configured, from now on. */
export async function openDeliveries({
  config,
  store,
  audit,
  background,
}: Foundation): Promise<void> {
  for (const [name, delivery] of Object.entries(config.audit.deliveries)) {
    await registerDelivery({ store, audit }, name, destinationOf(delivery), delivery)
  }
  background.deliver()
}
