import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Action } from '../core/action.ts'
import type { Subject } from '../core/subject.ts'

/**
 * SHA-256, in hex, over the canonical JSON (RFC 8785) of a value. Equal values, and only those,
 * give equal hashes.
 */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalize(value)!).digest('hex')
}

/**
 * Everybody who stands behind a subject. With another actor or owner it is somebody else, who
 * shares no approval.
 */
function chainOf({ issuer, subject, chain, owner, related }: Subject): unknown {
  return { issuer, subject, chain, owner, related }
}

export function subjectKey(subject: Subject): string {
  return hashOf(chainOf(subject))
}

/**
 * The digest that an approval is bound to. It covers the payload byte for byte, the whole subject
 * chain, and the resource with its upstream and credential. One flipped bit in any of them makes
 * another action.
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
