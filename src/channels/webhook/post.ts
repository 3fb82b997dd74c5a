import { sendOnce, type Answer, type NotSent } from '../../core/send-once.ts'
import { DeliveryError } from '../../gate/notices/channel.ts'

/**
 * POSTs once, and follows no redirect. What is answered beyond the status is not read. Rejects with
 * `DeliveryError` when nobody answers.
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
