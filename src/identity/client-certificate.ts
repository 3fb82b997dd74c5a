import type { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'

/** A certificate whose private key the client proved to have, during the TLS handshake. */
export interface ClientCertificate {
  readonly certificate: X509Certificate
  /** SHA-256 of the DER, in base64url: the `x5t#S256` of RFC 8705, §3.1. */
  readonly thumbprint: string
  /**
   * Whether a trusted authority signed it and has not revoked it, as far as this listener knows
   * now. Otherwise it stands for nobody, but still proves that its holder has the key.
   */
  readonly trusted: boolean
  /** Whether the authority has revoked it, or may have since the handshake. */
  readonly revoked: boolean
  /** Asks again whether it is trusted, for what goes on over this connection. */
  stillTrusted(): boolean
}

type Read = Pick<ClientCertificate, 'certificate' | 'thumbprint'>

/** Read once for each connection. The certificate stays the same, but trust in it may not. */
const read = new WeakMap<TLSSocket, Read>()

/**
 * The client's certificate, for every protocol alike; `null` without TLS or without a certificate.
 */
export function clientCertificateOf(socket: object): ClientCertificate | null {
  if (!(socket instanceof TLSSocket)) return null
  const known = read.get(socket) ?? readFrom(socket)
  if (!known) return null
  const { authorized } = socket
  // Node puts the code of OpenSSL's error here, if there was one.
  const error = socket.authorizationError as unknown
  const revoked = error === 'CERT_REVOKED' || (!authorized && !error)
  return { ...known, trusted: authorized, revoked, stillTrusted: () => isAuthorized(socket) }
}

function readFrom(socket: TLSSocket): Read | null {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return null
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex')
  const fresh = { certificate, thumbprint: thumbprint.toString('base64url') }
  read.set(socket, fresh)
  return fresh
}

/**
 * Closed: HTTP/2 takes the socket away from a session that has ended, and then it stands for
 * nobody.
 */
function isAuthorized(socket: TLSSocket): boolean {
  try {
    return socket.authorized
  } catch {
    return false
  }
}
