import { sendOnce, type Answer, type NotSent } from '../../core/send-once.ts'
import { DeliveryError } from '../../gate/notices/channel.ts'

/**
 * POSTs once, without following redirects. Of the answer only the status is read. Rejects with a
 * `DeliveryError` when there is no answer.
 */
export function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  return sendOnce({ method: 'POST', url, headers, body }, signal).catch((error: NotSent) => {
    throw new DeliveryError(error.message, { cause: error })
  })
}
