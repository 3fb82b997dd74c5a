import picomatch from 'picomatch'
import type { Config } from '../config/schema.ts'
import type { Credential, Party } from '../core/subject.ts'

type Trusted = Pick<Config['identity'], 'issuers' | 'certificates'>

/**
 * Whether a subject that was somebody when it showed its credential would be by what is in force now. An issuer that is taken out, or an entry for a certificate, counts no more from then
 * on, also for what waits, goes on, or is sent later by the gateway itself. Keys have an end of their own.
 */
export function isStillTrusted(
  { issuers, certificates }: Trusted,
  { issuer, subject }: Party,
  kind: Credential['kind'],
): boolean {
  switch (kind) {
    case 'agent-key':
      return true
    case 'jwt':
    case 'opaque-token':
      return issuers.some((one) => one.issuer === issuer)
    case 'certificate':
      return certificates.some(({ name, spiffe }) =>
        spiffe === undefined ? name === subject : fitsSpiffe(spiffe)(subject),
      )
  }
}

const scheme = 'spiffe://'.length

/** As certificates are matched. */
export function fitsSpiffe(pattern: string): (id: string) => boolean {
  const fits = picomatch(pattern.slice(scheme), { dot: true })
  return (id) => fits(id.slice(scheme))
}
