import { createSecureContext, type SecureContext } from 'node:tls'
import { MistakesError } from '../core/errors.ts'
import { readTlsFiles, readTlsFilesNow } from './read-tls-files.ts'
import type { TlsConfig } from './schema.ts'
import { tlsMaterial, type FileBytes, type TlsFiles } from './tls-files.ts'
import { secureOptions } from './tls-server.ts'

/** Where it is said that a certificate changed, or could not. */
interface Log {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

/** Milliseconds between two looks at the files. */
const period = 500

/**
 * What a listener that begins TLS by itself proves itself with: the certificate that its files have now. Files that nobody could be served with change nothing, and the log says
 * why. The constructor throws `MistakesError` when they are so at the start.
 */
export class TlsContext {
  readonly #config: TlsConfig
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  // Owned by #look(): what it saw the last time, and what it judged.
  #seen: TlsFiles
  #judged: TlsFiles
  #current: SecureContext

  constructor(config: TlsConfig, log: Log) {
    const files = readTlsFilesNow(config)
    this.#config = config
    this.#log = log
    this.#seen = files
    this.#judged = files
    this.#current = createSecureContext(secureOptions(config, tlsMaterial(config, files)))
    this.#timer = setInterval(() => void this.#look(), period).unref()
  }

  get current(): SecureContext {
    return this.#current
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const files = await readTlsFiles(this.#config)
    // The two are replaced one after the other: what counts is what two looks in a row see.
    if (!same(files, this.#seen)) this.#seen = files
    else if (!same(files, this.#judged)) this.#judge(files)
  }

  #judge(files: TlsFiles): void {
    this.#judged = files
    const { cert } = this.#config
    try {
      const material = tlsMaterial(this.#config, files)
      this.#current = createSecureContext(secureOptions(this.#config, material))
      const { fingerprint, expires } = material
      this.#log.info({ cert, fingerprint, expires }, 'new connections get the changed certificate')
    } catch (error) {
      const why = error instanceof MistakesError ? { mistakes: error.mistakes } : { err: error }
      this.#log.error(
        { cert, ...why },
        'the changed certificate cannot be used; the one before stays',
      )
    }
  }
}

function same(a: TlsFiles, b: TlsFiles): boolean {
  return sameBytes(a.cert, b.cert) && sameBytes(a.key, b.key)
}

function sameBytes(a: FileBytes, b: FileBytes): boolean {
  if (a instanceof Error || b instanceof Error)
    return a instanceof Error && b instanceof Error && a.message === b.message
  return a.equals(b)
}
