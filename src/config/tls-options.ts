import { constants } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import type { TlsConfig } from './schema.ts'
import type { TlsMaterial } from './tls-files.ts'

/**
 * RFC 9325, §3 and §4: versions and cipher suites that are sound, all of them with forward secrecy.
 */
export function secureOptions({ min_version }: TlsConfig, { cert, key, ca, crl }: TlsMaterial) {
  return {
    cert,
    key,
    ...(ca && { ca }),
    ...(crl && { crl }),
    minVersion: min_version,
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE+AESGCM',
      'ECDHE+CHACHA20',
    ].join(':'),
    // Renegotiation costs the server more than the client, and serves no client of today (RFC 9325,
    // §3.5). A session that is resumed would bring the client's certificate along as it was judged
    // then, whatever has been revoked since: with client certificates every connection proves it
    // anew.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (ca ? constants.SSL_OP_NO_TICKET : 0),
  } satisfies TlsOptions
}

/**
 * Whether clients are asked for a certificate. One that does not count is let through where none is
 * needed, as if it had none: it can still prove that a token is bound to it (RFC 8705, §3), and
 * stands for nobody by itself.
 */
export function clientOptions({ client_ca, client_certificates }: TlsConfig): TlsOptions {
  if (client_ca === undefined) return {}
  return { requestCert: true, rejectUnauthorized: client_certificates === 'require' }
}
