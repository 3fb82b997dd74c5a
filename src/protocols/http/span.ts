import { Problem } from '../../core/errors.ts'
import type { ActionSpan, Traces } from '../../telemetry/traces.ts'
import type { AgentResponse } from './client.ts'
import type { Resource } from './resource.ts'
import type { StrictRequest } from './strict/strict-request.ts'
import type { Trace } from './trace.ts'

/**
 * Begins the span of a request, which ends with its response; `null` where it is not recorded. It
 * has neither path nor query, which can contain anything.
 */
export function beginSpan(
  traces: Traces | undefined,
  trace: Trace,
  { method }: StrictRequest,
  { name }: Resource,
  response: AgentResponse,
): ActionSpan | null {
  const span = traces?.begin(trace, { 'sallyport.resource': name, 'http.request.method': method })
  if (!span) return null
  response.on('close', () => {
    const status = response.headersSent ? response.statusCode : undefined
    span.end({ 'http.response.status_code': status }, status === undefined || status >= 500)
  })
  return span
}

/** Notes in the span why there is no permit. */
export async function notingRefusal<T>(span: ActionSpan, decided: Promise<T>): Promise<T> {
  try {
    return await decided
  } catch (error) {
    span.note({ 'sallyport.refused': error instanceof Problem ? error.code : 'internal-error' })
    throw error
  }
}
