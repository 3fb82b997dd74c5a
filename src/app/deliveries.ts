import { destinationOf, registerDelivery } from '../audit/delivery/open.ts'
import type { Foundation } from './foundation.ts'

/** Begins to deliver the audit log to every configured place. */
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
