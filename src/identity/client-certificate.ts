import type { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'

/** What a client proved to have the private key of, while keys were agreed on. */
export interface ClientCertificate {
  readonly certificate: X509Certificate
  /** SHA-256 of the DER, in base64url: the `x5t#S256` of RFC 8705, §3.1. */
  readonly thumbprint: string
  /**
   * Whether an authority that counts signed it, and has not revoked it, as far as this listener
   * knows now. Without that it stands for nobody, and still proves that its holder has the key.
   */
  readonly trusted: boolean
  /** Whether the authority took it back; or may have, since keys were agreed on. */
  readonly revoked: boolean
  /** The same whenever it is asked, for what goes on on this connection. */
  stillTrusted(): boolean
}

type Read = Pick<ClientCertificate, 'certificate' | 'thumbprint'>

/** Read once for each connection: the certificate stays, and whether it is trusted may not. */
const read = new WeakMap<TLSSocket, Read>()

/**
 * The certificate of the client at the other end, for every protocol alike; `null` when there is no
 * TLS, or no certificate.
 */
export function clientCertificateOf(socket: object): ClientCertificate | null {
  if (!(socket instanceof TLSSocket)) return null
  const known = read.get(socket) ?? readFrom(socket)
  if (!known) return null
  const { authorized } = socket
  // Node has the code of OpenSSL's error here, and nothing where there was none.
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
 * HTTP/2 takes the socket away from a session that has ended: nobody is there then whom it could
 * stand for. Closed.
 */
function isAuthorized(socket: TLSSocket): boolean {
  try {
    return socket.authorized
  } catch {
    return false
  }
}
