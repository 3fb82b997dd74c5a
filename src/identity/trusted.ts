import picomatch from 'picomatch'
import type { Config } from '../config/schema.ts'
import type { Credential, Party } from '../core/subject.ts'

/** How somebody proved who they are. */
export type Shown = Credential['kind'] | 'login'

type Trusted = Pick<Config['identity'], 'issuers' | 'certificates' | 'login'>

/**
 * Whether a subject that was believed when it showed its credential would still be believed under
 * the configuration in force now. Once an issuer or an entry for a certificate is removed, it no
 * longer counts: not for actions that wait, for those under way, or for those that the gateway
 * itself sends later. Agent keys are not checked here: they end in ways of their own.
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
      // The console's issuer, or any other whose token was used from the command line.
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

/** Matches a SPIFFE ID in the same way as the entries for certificates do. */
export function fitsSpiffe(pattern: string): (id: string) => boolean {
  const fits = picomatch(pattern.slice(scheme), { dot: true })
  return (id) => fits(id.slice(scheme))
}
