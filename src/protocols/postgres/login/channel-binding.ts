import { createHash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { ChannelBinding } from './scram.ts'

/**
 * `tls-server-end-point` (RFC 5929 §4.1): the hash of the server's certificate, by the hash
 * function of its signature.
 */
export function channelBinding(socket: Socket): ChannelBinding {
  if (!(socket instanceof TLSSocket)) return null
  const certificate = socket.getPeerX509Certificate()
  const hash = hashOf(certificate?.signatureAlgorithm)
  return certificate && hash ? createHash(hash).update(certificate.raw).digest() : null
}

/**
 * `null` for signatures without one hash function of their own (Ed25519): such a channel cannot be
 * bound.
 */
function hashOf(signature: string | undefined): string | null {
  const [hash] = /sha\d+|md5/i.exec(signature ?? '') ?? []
  if (!hash) return null
  const name = hash.toLowerCase()
  return name === 'md5' || name === 'sha1' ? 'sha256' : name
}
