import { createHmac } from 'node:crypto'
import type { Resource } from '../config/schema.ts'
import type { Secrets } from '../config/secrets.ts'

/**
 * A digest of where a resource leads and with which credential, which reveals neither. A change of
 * either makes another action.
 */
export function bindingOf(
  { name, upstream, credential }: Resource,
  { bindingKey }: Secrets,
): string {
  return createHmac('sha256', bindingKey)
    .update(JSON.stringify([name, upstream, credential ?? null]))
    .digest('hex')
}

/** Derived from a key that does not rotate, so that open pages keep their tokens. */
export function csrfKeyOf({ bindingKey }: Secrets): Buffer {
  return createHmac('sha256', bindingKey).update('sallyport csrf').digest()
}

/** Shared by all replicas, so that each accepts the nonces of the others. */
export function nonceKeyOf({ bindingKey }: Secrets): Buffer {
  return createHmac('sha256', bindingKey).update('sallyport dpop nonces').digest()
}
