import type { CertificateConfig } from '../config/schema.ts'
import type { Principal, Subject } from '../core/subject.ts'
import type { ClientCertificate } from './client-certificate.ts'
import { namesIn, spiffeIdOf, type CertificateNames } from './certificate-names.ts'
import { credentialNames } from './credential-names.ts'
import { Refusal } from './refusal.ts'
import { fitsSpiffe } from './trusted.ts'

/**
 * The issuer of subjects that the configuration names. For a SPIFFE id it is the trust domain.
 * Neither can be the issuer of a token.
 */
const certificateIssuer = 'sallyport:certificates'

/**
 * Returns a function that tells whom a client certificate stands for, by `identity.certificates`.
 * It throws a `Refusal`.
 */
export function createCertificateSubjects(
  entries: readonly CertificateConfig[],
): (certificate: ClientCertificate) => Principal {
  const known = entries.map((entry) => ({ entry, fits: matcherOf(entry) }))

  return ({ certificate, thumbprint, trusted, stillTrusted }) => {
    if (!trusted) throw new Refusal('certificate-untrusted')
    // An authority's own certificate signs for others, and acts for nobody (X.509-SVID, §4.1).
    if (certificate.ca) throw new Refusal('certificate-unknown', { about: 'an authority' })
    const expiresAt = certificate.validToDate.getTime()
    // It was valid when the connection was made, which may be long ago.
    if (expiresAt <= Date.now()) throw new Refusal('certificate-expired')
    const names = namesIn(certificate)
    const spiffe = spiffeIdOf(names)
    const fitting = known.filter(({ fits }) => fits(names))
    if (fitting.length === 0) throw new Refusal('certificate-unknown')
    if (fitting.length > 1) throw new Refusal('certificate-ambiguous')
    const { kind, groups, owner = null, ...entry } = fitting[0]!.entry
    const party =
      entry.spiffe === undefined
        ? { issuer: certificateIssuer, subject: entry.name! }
        : { issuer: `spiffe://${spiffe!.domain}`, subject: spiffe!.id }
    // Only the name of the certificate is used, so that the subject survives renewals.
    const subject: Subject = { ...party, kind, groups, owner, chain: [], related: [], claims: {} }
    return {
      subject,
      credential: {
        kind: 'certificate',
        id: Buffer.from(thumbprint, 'base64url').toString('hex'),
        issuedAt: certificate.validFromDate.getTime(),
        expiresAt,
        names: credentialNames(subject),
        // It may be revoked while an action waits or goes on.
        recheck: async () => {
          if (!stillTrusted()) throw new Refusal('certificate-untrusted')
        },
      },
    }
  }
}

function matcherOf(entry: CertificateConfig): (names: CertificateNames) => boolean {
  const { spiffe, uri, dns, email, subject } = entry
  if (spiffe !== undefined) {
    const fits = fitsSpiffe(spiffe)
    return (names) => {
      const id = spiffeIdOf(names)?.id
      return id !== undefined && fits(id)
    }
  }
  if (uri !== undefined) return (names) => names.uri.includes(uri)
  if (dns !== undefined) return (names) => names.dns.includes(dns)
  if (email !== undefined) return (names) => names.email.includes(email)
  return (names) => names.subject === subject
}
