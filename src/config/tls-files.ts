import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { MistakesError, type Mistake } from '../core/errors.ts'
import type { TlsConfig } from './schema.ts'

/** The bytes of a file, or why there are none. */
export type FileBytes = Buffer | NodeJS.ErrnoException

/** The files of a listener; `null` for those that it does without. */
export interface TlsFiles {
  readonly cert: FileBytes
  readonly key: FileBytes
  readonly ca: FileBytes | null
  readonly crl: FileBytes | null
}

/** What a listener proves itself with. */
export interface TlsMaterial {
  /**
   * PEM: the listener's own certificate first, and behind it those between it and an authority that
   * clients know.
   */
  readonly cert: Buffer
  /** PEM. */
  readonly key: Buffer
  /** PEM: the authorities whose client certificates count, and what they have revoked. */
  readonly ca: Buffer | null
  readonly crl: Buffer | null
  /** SHA-256; names the certificate in logs. */
  readonly fingerprint: string
  readonly expires: Date
}

/**
 * Makes sure that clients can be served with what the files say. Throws `MistakesError` with
 * everything that is wrong, and without a word of the files: one of them is a private key.
 */
export function tlsMaterial(paths: TlsConfig, files: TlsFiles): TlsMaterial {
  const mistakes: Mistake[] = []
  const certificate = parse(() => certificateOf(paths.cert, files.cert), mistakes)
  const key = parse(() => keyOf(paths.key, files.key), mistakes)
  const clients = parse(() => clientTrust(paths, files), mistakes)
  if (!certificate || !key || !clients) throw new MistakesError(mistakes)
  if (!certificate.checkPrivateKey(key))
    throw mistake(
      paths.key,
      `This key is not the one of the certificate in ${paths.cert}.`,
      "Name the two that were made for each other; the listener's own certificate comes first in its file.",
    )
  const pair = { cert: files.cert as Buffer, key: files.key as Buffer }
  const refusal = refusalOf(pair)
  if (refusal !== null)
    throw mistake(
      paths.cert,
      `OpenSSL does not serve with this certificate (${refusal}).`,
      'Use ECDSA, or RSA of 2048 bits or more, signed with SHA-256 or better.',
    )
  return {
    ...pair,
    ...clients,
    fingerprint: certificate.fingerprint256,
    expires: certificate.validToDate,
  }
}

function certificateOf(file: string, bytes: TlsFiles['cert']): X509Certificate {
  if (bytes instanceof Error) throw unreadable(file, 'certificate', bytes)
  if (!bytes.includes('-----BEGIN CERTIFICATE-----'))
    throw mistake(
      file,
      'There is no certificate in this file.',
      'Write it in PEM: it begins with -----BEGIN CERTIFICATE-----.',
    )
  const certificate = attempt(() => new X509Certificate(bytes))
  if (certificate instanceof Error)
    throw mistake(file, 'The certificate is damaged.', 'Copy or issue it again.')
  // Not the other end of its life: that begins now, and the issuer's clock may be ahead of ours.
  if (certificate.validToDate.getTime() < Date.now())
    throw mistake(
      file,
      `The certificate ran out on ${certificate.validToDate.toISOString()}, so clients refuse it.`,
      'Renew it.',
    )
  return certificate
}

/**
 * Whose certificates count. What is named and cannot be used stops the listener: without it, other
 * clients than meant would be let in, or none. Closed.
 */
function clientTrust(paths: TlsConfig, files: TlsFiles): Pick<TlsMaterial, 'ca' | 'crl'> {
  const of = (what: string, file: string | undefined, bytes: FileBytes | null, label: string) => {
    if (file === undefined || bytes === null) return null
    if (bytes instanceof Error) throw unreadable(file, what, bytes)
    if (!bytes.includes(`-----BEGIN ${label}-----`))
      throw mistake(
        file,
        `There is no ${what} in this file.`,
        `Write it in PEM: it begins with -----BEGIN ${label}-----.`,
      )
    return bytes
  }
  const ca = of('authority', paths.client_ca, files.ca, 'CERTIFICATE')
  const crl = of('revocation list', paths.client_crl, files.crl, 'X509 CRL')
  const damaged = (file: string) =>
    mistake(file, 'OpenSSL cannot read this file.', 'Copy or issue it again.')
  if (ca && attempt(() => createSecureContext({ ca })) instanceof Error)
    throw damaged(paths.client_ca!)
  if (crl && attempt(() => createSecureContext({ crl })) instanceof Error)
    throw damaged(paths.client_crl!)
  return { ca, crl }
}

function keyOf(file: string, bytes: TlsFiles['key']): KeyObject {
  if (bytes instanceof Error) throw unreadable(file, 'private key', bytes)
  const key = attempt(() => createPrivateKey(bytes))
  if (!(key instanceof Error)) return key
  // As the labels of RFC 7468, §11, and the headers of RFC 1421 have it; OpenSSL's own codes are
  // not the same for both.
  throw bytes.includes('ENCRYPTED')
    ? mistake(
        file,
        'The private key is protected by a passphrase, and nobody is there to type it.',
        'Take it off with `openssl pkey`, and let nobody but the user of the gateway read the file.',
      )
    : mistake(
        file,
        'There is no private key in this file.',
        'Write it in PEM: it begins with -----BEGIN PRIVATE KEY-----.',
      )
}

function refusalOf(pair: { cert: Buffer; key: Buffer }): string | null {
  const context = attempt(() => createSecureContext(pair))
  return context instanceof Error ? (context.code ?? context.name) : null
}

function attempt<T>(make: () => T): T | NodeJS.ErrnoException {
  try {
    return make()
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

/** What `make` returns; or `undefined`, with what it throws among the mistakes. */
function parse<T>(make: () => T, mistakes: Mistake[]): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    mistakes.push(...error.mistakes)
    return undefined
  }
}

function unreadable(file: string, what: string, { code }: NodeJS.ErrnoException): MistakesError {
  return mistake(
    file,
    `The ${what} cannot be read (${code ?? 'unknown error'}).`,
    'Check the path, which is relative to the configuration, and its permissions.',
  )
}

function mistake(file: string, message: string, remedy: string): MistakesError {
  return new MistakesError([{ file, message, remedy }])
}
