import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Action } from '../core/action.ts'
import type { Subject } from '../core/subject.ts'

/**
 * SHA-256, in hex, over the canonical JSON (RFC 8785) of a value: equal values, and only those,
 * give equal hashes.
 */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalize(value)!).digest('hex')
}

/**
 * Everybody who stands behind a subject: another actor or another owner is somebody else, and
 * shares no approval.
 */
function chainOf({ issuer, subject, chain, owner, related }: Subject): unknown {
  return { issuer, subject, chain, owner, related }
}

export function subjectKey(subject: Subject): string {
  return hashOf(chainOf(subject))
}

/**
 * What an approval is bound to: the payload byte for byte, the whole subject chain, the resource
 * with its upstream and credential. One flipped bit in any of them is another action.
 */
export function actionDigest(action: Action, binding: string, payloadDigest: string): string {
  return hashOf({
    version: 1,
    name: action.name,
    subject: chainOf(action.subject),
    resource: action.resource,
    binding,
    payload: payloadDigest,
  })
}
