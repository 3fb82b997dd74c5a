import type { X509Certificate } from 'node:crypto'
import { Refusal } from './refusal.ts'

/** The names by which a certificate can be recognised. */
export interface CertificateNames {
  readonly uri: readonly string[]
  readonly dns: readonly string[]
  readonly email: readonly string[]
  /** As RFC 2253 writes it. */
  readonly subject: string
}

const prefixes = { uri: 'URI:', dns: 'DNS:', email: 'email:' } as const

/**
 * Reads the names of a certificate. Closed: Node quotes a name that could be mistaken for another,
 * or for two. Nobody needs such names, so a certificate with one is refused.
 */
export function namesIn(certificate: X509Certificate): CertificateNames {
  const list = certificate.subjectAltName ?? ''
  if (list.includes('"')) throw new Refusal('certificate-unknown', { about: 'subjectAltName' })
  const entries = list === '' ? [] : list.split(', ')
  const of = (kind: keyof typeof prefixes) =>
    entries
      .filter((entry) => entry.startsWith(prefixes[kind]))
      .map((entry) => entry.slice(prefixes[kind].length))
  // Node lists the parts from the root down, a line each. RFC 2253 §2.1 has them from the name up,
  // with commas.
  const subject = certificate.subject ? certificate.subject.split('\n').toReversed().join(',') : ''
  return { uri: of('uri'), dns: of('dns'), email: of('email'), subject }
}

// SPIFFE ID, §2: no port, no query, no fragment; §2.2: no empty, `.` or `..` part. The id of a
// trust domain itself names no workload.
const spiffeId =
  /^spiffe:\/\/(?<domain>[a-z0-9._-]{1,255})(?<path>(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+)$/

/**
 * The SPIFFE id of a certificate, which must be its only URI (X.509-SVID, §2); `null` when there is
 * none. Throws a `Refusal` when it is not clear.
 */
export function spiffeIdOf({ uri }: CertificateNames): { id: string; domain: string } | null {
  if (!uri.some((name) => /^spiffe:/i.test(name))) return null
  const [id] = uri
  const parts = uri.length === 1 && id!.length <= 2048 ? spiffeId.exec(id!)?.groups : undefined
  if (!parts) throw new Refusal('certificate-ambiguous', { about: 'SPIFFE id' })
  return { id: id!, domain: parts['domain']! }
}
