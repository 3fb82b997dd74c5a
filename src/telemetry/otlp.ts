import { version } from '../core/version.ts'

/** What a span says: text, or a number that is whole. */
export type Attributes = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** What happened between two instants, in milliseconds since the epoch. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  readonly begun: number
  readonly ended: number
  readonly attributes: Attributes
  readonly failed: boolean
}

const kinds = { internal: 1, server: 2, client: 3 }

/**
 * An export request as OTLP/HTTP has it in JSON (OpenTelemetry Protocol 1, "JSON Protobuf
 * Encoding": ids in hex, 64-bit integers as text). By hand, since these forty lines are all that is
 * needed of it.
 */
export function exportRequest(spans: readonly FinishedSpan[], instance: string): unknown {
  const resource = {
    'service.name': 'sallyport',
    'service.version': version,
    'service.instance.id': instance,
  }
  const scope = { name: 'sallyport', version }
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope, spans: spans.map(spanOf) }],
      },
    ],
  }
}

function spanOf(span: FinishedSpan): unknown {
  const { traceId, spanId, parentSpanId, name, kind, begun, ended, attributes, failed } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId !== null && { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(begun),
    endTimeUnixNano: nanoseconds(ended),
    attributes: attributesOf(attributes),
    status: failed ? { code: 2 } : {},
  }
}

function attributesOf(attributes: Attributes): unknown[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  )
}

function valueOf(value: string | number | readonly string[]): unknown {
  if (typeof value === 'number') return { intValue: String(value) }
  if (typeof value === 'string') return { stringValue: value }
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } }
}

/** In whole microseconds: a double holds no more of it. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`
}
