import { randomUUIDv7 } from 'node:crypto'
import type { Action, Attribute, Effect } from '../../core/action.ts'
import type { Subject } from '../../core/subject.ts'
import { holdsSecret } from './header-names.ts'
import { headerText, headerValue, type Header } from './header.ts'
import { readQuery } from './query.ts'
import type { Resource } from './resource.ts'
import { shownValue, type IsSecret } from './secret-parameters.ts'
import type { StrictRequest } from './strict/strict-request.ts'
import type { Trace } from './trace.ts'

/** The most characters of an agent's stated reason, and of a path in a summary. */
const longestReason = 500
const longestSummary = 300

interface Facts {
  readonly request: StrictRequest
  readonly subject: Subject
  readonly resource: Resource
  /** The path below the resource's prefix, in the bytes that came. */
  readonly path: string
  /** The headers that are forwarded and in the digest. */
  readonly headers: readonly Header[]
  /** The body as JSON; `undefined` where it was not read, because no rule looks at it. */
  readonly json: Attribute | undefined
  readonly trace: Trace
}

/** Describes one request for policies, people and the audit log. */
export function actionOf(facts: Facts): Action {
  const { request, subject, resource, path, headers, json, trace } = facts
  const { method, host, query, upgrade } = request
  return {
    id: randomUUIDv7(),
    name: 'http.request',
    subject,
    resource: resource.name,
    // Anything may be said over an open WebSocket.
    effect: upgrade === null ? effectOf(method, path, resource) : 'unknown',
    attributes: {
      http: {
        method,
        host,
        path,
        query: readQuery(query, resource.isSecret),
        headers: shown(headers, resource.isSecret),
        upgrade: upgrade ?? '',
        ...(json !== undefined && { json }),
      },
    },
    ...(resource.usage !== null && { question: true }),
    summary: clipped(`${method} ${path}`, longestSummary),
    agentReason: reasonOf(request.headers),
    trace: trace.id,
    span: { id: trace.span, ...(trace.parent !== null && { parent: trace.parent }) },
  }
}

/**
 * A request is a read only where the resource says so: a GET can do anything, and an unknown method
 * even more.
 */
function effectOf(method: string, path: string, resource: Resource): Effect {
  if (resource.isRead(method, path)) return 'read'
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? 'write' : 'unknown'
}

/**
 * Headers by name, without credentials. Several lines of a list header make one list (RFC 9110
 * §5.3).
 */
function shown(headers: readonly Header[], isSecret: IsSecret): Record<string, string> {
  // Names consist of letters, digits and dashes, so none is special to an object.
  const byName: Record<string, string> = {}
  for (const { name, value } of headers) {
    if (holdsSecret(name)) continue
    const text = shownValue(name, value, isSecret)
    byName[name] = Object.hasOwn(byName, name) ? `${byName[name]}, ${text}` : text
  }
  return byName
}

function reasonOf(headers: readonly Header[]): string | null {
  const value = headerValue(headers, 'sallyport-reason')?.trim()
  return value ? clipped(headerText(value), longestReason) : null
}

function clipped(text: string, longest: number): string {
  if (text.length <= longest) return text
  // Do not cut a surrogate pair in half.
  return `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
