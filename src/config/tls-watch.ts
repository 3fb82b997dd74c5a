import { MistakesError } from '../core/errors.ts'
import { readTlsFiles, readTlsFilesNow } from './read-tls-files.ts'
import type { TlsConfig } from './schema.ts'
import { tlsMaterial, type FileBytes, type TlsFiles, type TlsMaterial } from './tls-files.ts'

/** Where it is said that a certificate changed, or could not. */
export interface Log {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

/** Who serves with what the files say. */
export interface Serving {
  /** New connections get this from now on. Throws what OpenSSL has against it. */
  renew(material: TlsMaterial): void
  /** Other authorities count now, or something was revoked. */
  mistrust(): void
  /** Names it in the log. */
  readonly called: object
}

/** Milliseconds between two looks at the files. */
const period = 500

/**
 * The files of a listener with TLS, looked at again and again. Those that nobody could be served
 * with change nothing, and the log says why. The constructor throws `MistakesError` when they are
 * so at the start.
 */
export class TlsWatch {
  /** What the files said at the start. */
  readonly material: TlsMaterial
  readonly #config: TlsConfig
  readonly #log: Log
  // Owned by begin() and end().
  #serving: Serving | null = null
  // Owned by #look(): what it saw the last time, and what was served with, or found to be wrong.
  #seen: TlsFiles
  #judged: TlsFiles

  constructor(config: TlsConfig, log: Log) {
    const files = readTlsFilesNow(config)
    this.material = tlsMaterial(config, files)
    this.#config = config
    this.#log = log
    this.#seen = files
    this.#judged = files
  }

  begin(serving: Serving): void {
    this.#serving = serving
    this.#log.info(this.#named(this.material, serving), 'listening with this certificate')
    this.#lookLater()
  }

  end(): void {
    this.#serving = null
  }

  #lookLater(): void {
    setTimeout(() => void this.#look(), period).unref()
  }

  /**
   * Looks, and not waits to be told: a notice does not come from every file system, nor of a link
   * that leads elsewhere now.
   */
  async #look(): Promise<void> {
    const files = await readTlsFiles(this.#config)
    if (!this.#serving) return
    // The two are replaced one after the other: what counts is what two looks in a row see.
    if (!same(files, this.#seen)) this.#seen = files
    else if (!same(files, this.#judged)) this.#judge(files, this.#serving)
    this.#lookLater()
  }

  #judge(files: TlsFiles, serving: Serving): void {
    const { ca, crl } = this.#judged
    this.#judged = files
    try {
      const material = tlsMaterial(this.#config, files)
      serving.renew(material)
      if (!sameBytes(ca, files.ca) || !sameBytes(crl, files.crl)) serving.mistrust()
      this.#log.info(this.#named(material, serving), 'new connections get the changed certificate')
    } catch (error) {
      const why = error instanceof MistakesError ? { mistakes: error.mistakes } : { err: error }
      const { cert } = this.#config
      this.#log.error(
        { ...serving.called, cert, ...why },
        'the changed certificate cannot be used; the one before stays',
      )
    }
  }

  #named({ fingerprint, expires }: TlsMaterial, { called }: Serving): object {
    return { ...called, cert: this.#config.cert, fingerprint, expires }
  }
}

function same(a: TlsFiles, b: TlsFiles): boolean {
  return (['cert', 'key', 'ca', 'crl'] as const).every((name) => sameBytes(a[name], b[name]))
}

function sameBytes(a: FileBytes | null, b: FileBytes | null): boolean {
  if (a === null || b === null) return a === b
  if (a instanceof Error || b instanceof Error)
    return a instanceof Error && b instanceof Error && a.message === b.message
  return a.equals(b)
}
