import { Webhook } from 'standardwebhooks'
import type { WebhookConfig } from '../../config/schema.ts'
import { DeliveryError, type Channel, type Delivered } from '../../gate/notices/channel.ts'
import type { Notice } from '../../gate/notices/notice.ts'
import { payloadOf } from './payload.ts'
import { post } from './post.ts'

/**
 * Sends each approval, and each change of one, to an address: signed as Standard Webhooks 1.0 has
 * it (HMAC-SHA256 over id, time and body). A message that is sent again has the same `webhook-id`.
 */
export class WebhookChannel implements Channel {
  readonly name: string
  readonly #url: URL
  readonly #signer: Webhook

  constructor(name: string, { url, secret }: WebhookConfig) {
    this.name = `webhook:${name}`
    this.#url = new URL(url)
    this.#signer = new Webhook(secret)
  }

  async deliver(notice: Notice, signal: AbortSignal): Promise<Delivered> {
    const now = new Date()
    const id = `${notice.id}-${notice.version}`
    const body = payloadOf(notice, now)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'sallyport',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': this.#signer.sign(id, now, body),
    }
    const { status, retryAfterMs } = await post(this.#url, headers, body, signal)
    // A redirect does not count as success: a message signed for one address is not sent to
    // another.
    if (status >= 200 && status < 300) return { receipt: { id, status } }
    throw new DeliveryError(`It answered with status ${status}`, {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
}
