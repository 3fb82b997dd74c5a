import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Webhook } from 'standardwebhooks'
import type { AuditDeliveryConfig } from '../../config/schema.ts'
import { sendOnce } from '../../core/send-once.ts'
import { formats, type Format, type FormatName } from '../export/format.ts'
import { DeliveryFailure, type Destination } from './destination.ts'

type WebhookConfig = NonNullable<AuditDeliveryConfig['webhook']>

/** In characters; receivers commonly take this much. */
const longest = 1024 * 1024

/**
 * Posts each batch to an address, signed according to Standard Webhooks 1.0. The signed
 * `webhook-id` is the name of the batch, which has both indexes; a receiver that has these events
 * already answers with success and ignores them. Success is a status from 200 to 299.
 */
export function webhookDestination(
  { url, secret, ca: caFile }: WebhookConfig,
  format: FormatName,
): Destination {
  const signer = new Webhook(secret)
  const { head, line, type }: Format = formats[format]
  return {
    // Only the origin, because a path may contain a token.
    to: new URL(url).origin,
    hash: hash('sha256', url),
    longest,
    compressed: false,
    head: head === null ? '' : `${head}\n`,
    write: (row) => `${line(row)}\n`,
    async deliver({ name, first, end, body }, signal) {
      const now = new Date()
      const headers = {
        'content-type': type,
        'user-agent': 'sallyport',
        'webhook-id': name,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': signer.sign(name, now, body),
        'sallyport-audit-first': String(first),
        'sallyport-audit-end': String(end),
      }
      const ca = caFile === undefined ? undefined : await readFile(caFile)
      const request = { method: 'POST', url: new URL(url), headers, body, ca } as const
      const { status, retryAfterMs } = await sendOnce(request, signal)
      if (status >= 200 && status < 300) return
      throw new DeliveryFailure(`It answered with status ${status}`, { retryAfterMs })
    },
  }
}
