import picomatch from 'picomatch'
import type { Config } from '../config/schema.ts'
import type { Credential, Party } from '../core/subject.ts'

/** How somebody showed who they are. */
export type Shown = Credential['kind'] | 'login'

type Trusted = Pick<Config['identity'], 'issuers' | 'certificates' | 'login'>

/**
 * Whether a subject that was somebody when it showed its credential would be by what is in force
 * now. An issuer that is taken out, or an entry for a certificate, counts no more from then on,
 * also for what waits, goes on, or is sent later by the gateway itself. Keys have an end of their
 * own.
 */
export function isStillTrusted(
  { issuers, certificates, login }: Trusted,
  { issuer, subject }: Party,
  kind: Shown,
): boolean {
  switch (kind) {
    case 'agent-key':
      return true
    case 'login':
      // Or with a token, from the command line.
      return login?.issuer === issuer || hasIssuer(issuers, issuer)
    case 'jwt':
    case 'opaque-token':
      return hasIssuer(issuers, issuer)
    case 'certificate':
      return certificates.some(({ name, spiffe }) =>
        spiffe === undefined ? name === subject : fitsSpiffe(spiffe)(subject),
      )
  }
}

const hasIssuer = (issuers: Trusted['issuers'], issuer: string) =>
  issuers.some((one) => one.issuer === issuer)

const scheme = 'spiffe://'.length

/** As certificates are matched. */
export function fitsSpiffe(pattern: string): (id: string) => boolean {
  const fits = picomatch(pattern.slice(scheme), { dot: true })
  return (id) => fits(id.slice(scheme))
}
