import type { Accepted } from '../../../gate/attempt.ts'
import type { FetchedResponse } from '../../../gate/detached/fetch-response.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { AnswerSink } from '../upstream/exchange.ts'
import type { KeptHead } from './kept-answer.ts'
import { unpack } from './packed.ts'

type Response = Omit<AnswerSink, 'end'> & {
  end(bytes: Buffer): unknown
  destroy(): unknown
}

/** Seconds after which asking for the task makes sense. */
const retryAfter = 5

/**
 * 202: the gateway has the request, and sends it by itself once people have approved it (RFC 7240
 * §4.1). Does nothing where nobody is left to read it.
 */
export function sendAccepted(response: Response, { action, task, endpoint }: Accepted): void {
  if (response.destroyed) return
  const body = Buffer.from(JSON.stringify({ task, response_endpoint: `${endpoint}/response` }))
  response.writeHead(202, 'Accepted', [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Location',
    endpoint,
    'Preference-Applied',
    'respond-async',
    'Retry-After',
    String(retryAfter),
    'Cache-Control',
    'no-store',
    'Sallyport-Action',
    action,
  ])
  response.end(body)
}

/**
 * Milliseconds that a client may take with a kept response, before its connection is given up. It
 * can fetch it again then.
 */
const patience = 5 * 60_000

/**
 * Hands a kept response over, as the upstream gave it. It counts as delivered when the last byte of
 * it has gone to the connection, and that is on record; a client that goes away before can fetch it
 * again. Resolves when the one or the other has happened.
 */
export function sendKept(
  response: Response,
  { answer, delivered }: FetchedResponse,
  log: Log,
): Promise<void> {
  const { head, bytes } = unpack<KeptHead>(answer)
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), patience)
    const over = (): void => {
      clearTimeout(timer)
      resolve()
    }
    response.once('close', () => {
      if (!response.writableFinished) return over()
      // Not known to be delivered, so it can be fetched once more: nothing is lost that way.
      delivered()
        .catch((error: unknown) => log.warn({ err: error }, 'a delivery is not on record'))
        .finally(over)
    })
    response.writeHead(head.status, head.reason, framed(head, bytes!.length))
    response.end(bytes!)
  })
}

/**
 * The headers that were kept, with the length of what was kept. The one that a HEAD was answered
 * with is of a body that did not come.
 */
function framed({ status, headers }: KeptHead, length: number): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'content-length') kept.push(headers[i]!, headers[i + 1]!)
  }
  // RFC 9110 §8.6: none where there can be no body.
  return status === 204 || status === 304 ? kept : [...kept, 'Content-Length', String(length)]
}
