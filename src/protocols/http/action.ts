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

/** Characters of what an agent says that it is doing this for, and of a path in a summary. */
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
  /** `undefined` where no rule looks at it, and so it was not read. */
  readonly json: Attribute | undefined
  readonly trace: Trace
}

/** One request as policies, people and the audit log know it. */
export function actionOf(facts: Facts): Action {
  const { request, subject, resource, path, headers, json, trace } = facts
  const { method, host, query, upgrade } = request
  return {
    id: randomUUIDv7(),
    name: 'http.request',
    subject,
    resource: resource.name,
    // What is said over a connection that is open may be anything.
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
 * A read is one only where the resource says so: a GET can do anything, and an unknown method more.
 */
function effectOf(method: string, path: string, resource: Resource): Effect {
  if (resource.isRead(method, path)) return 'read'
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? 'write' : 'unknown'
}

/**
 * Headers by name; several lines of a list are one list (RFC 9110 §5.3). Credentials are left out.
 */
function shown(headers: readonly Header[], isSecret: IsSecret): Record<string, string> {
  // Names have letters, digits and dashes: none of them means anything to an object.
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
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
