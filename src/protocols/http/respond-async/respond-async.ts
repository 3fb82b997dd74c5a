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

/** Seconds after which it makes sense to ask for the task. */
const retryAfter = 5

/**
 * Answers 202: the gateway keeps the request, and sends it by itself once it is approved (RFC 7240
 * §4.1). Does nothing if the client has gone.
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
 * Milliseconds that a client may take over a kept response before its connection is closed. It can
 * then fetch it again.
 */
const patience = 5 * 60_000

/**
 * Hands over a kept response, as the upstream gave it. It counts as delivered, and that goes on
 * record, when its last byte has gone to the connection. A client that leaves earlier can fetch it
 * again. Resolves in either case.
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
      // It is not known to be delivered, so it can be fetched once more. Nothing is lost that way.
      delivered()
        .catch((error: unknown) => log.warn({ err: error }, 'a delivery is not on record'))
        .finally(over)
    })
    response.writeHead(head.status, head.reason, framed(head, bytes!.length))
    response.end(bytes!)
  })
}

/**
 * The kept headers, with the length of the kept body. The length in an answer to HEAD is that of a
 * body that was not sent.
 */
function framed({ status, headers }: KeptHead, length: number): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'content-length') kept.push(headers[i]!, headers[i + 1]!)
  }
  // No length where there can be no body (RFC 9110 §8.6).
  return status === 204 || status === 304 ? kept : [...kept, 'Content-Length', String(length)]
}
