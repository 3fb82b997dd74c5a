import { createHmac } from 'node:crypto'
import type { Resource } from '../config/schema.ts'
import type { Secrets } from '../config/secrets.ts'

/**
 * Names where a resource leads and with which credential, without revealing either: a change of one
 * of them is another action.
 */
export function bindingOf(
  { name, upstream, credential }: Resource,
  { bindingKey }: Secrets,
): string {
  return createHmac('sha256', bindingKey)
    .update(JSON.stringify([name, upstream, credential ?? null]))
    .digest('hex')
}

/** Not one of those that rotate: a page that is open keeps its token. */
export function csrfKeyOf({ bindingKey }: Secrets): Buffer {
  return createHmac('sha256', bindingKey).update('sallyport csrf').digest()
}

/** Shared by all replicas, so that each accepts what another one gave. */
export function nonceKeyOf({ bindingKey }: Secrets): Buffer {
  return createHmac('sha256', bindingKey).update('sallyport dpop nonces').digest()
}
