import { createHash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { ChannelBinding } from './scram.ts'

/**
 * `tls-server-end-point` (RFC 5929 §4.1): the server's certificate, hashed with the function that
 * its signature uses. `null` where the channel cannot be bound.
 */
export function channelBinding(socket: Socket): ChannelBinding {
  if (!(socket instanceof TLSSocket)) return null
  const certificate = socket.getPeerX509Certificate()
  const hash = hashOf(certificate?.signatureAlgorithm)
  return certificate && hash ? createHash(hash).update(certificate.raw).digest() : null
}

/** `null` for signatures that use no single hash function, such as Ed25519. */
function hashOf(signature: string | undefined): string | null {
  const [hash] = /sha\d+|md5/i.exec(signature ?? '') ?? []
  if (!hash) return null
  const name = hash.toLowerCase()
  return name === 'md5' || name === 'sha1' ? 'sha256' : name
}
