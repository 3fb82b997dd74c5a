import { version } from '../core/version.ts'

/** The attributes of a span. Numbers have to be whole. */
export type Attributes = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** A span that has ended. Its times are in milliseconds since the epoch. */
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
 * Encoding": ids in hex, 64-bit integers as text). Written by hand, because these forty lines are
 * all that we need of a library.
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

/** Precise to a microsecond, since a double holds no more digits of such a time. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`
}
