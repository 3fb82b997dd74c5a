import { MistakesError } from '../core/errors.ts'
import { readTlsFiles, readTlsFilesNow } from './read-tls-files.ts'
import type { TlsConfig } from './schema.ts'
import { tlsMaterial, type FileBytes, type TlsFiles, type TlsMaterial } from './tls-files.ts'

/** The log that says when a certificate was replaced, or could not be. */
export interface Log {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

/** The listener that uses the files. */
export interface Serving {
  /**
   * Uses this for new connections from now on. Throws OpenSSL's error when it does not accept it.
   */
  renew(material: TlsMaterial): void
  /** The authorities have changed, or something was revoked. */
  mistrust(): void
  /** What names the listener in the log. */
  readonly called: object
}

/** How often the files are read, in milliseconds. */
const period = 500

/**
 * Watches the files of a listener with TLS. Files that cannot be used change nothing, and the log
 * says why. The constructor throws a `MistakesError` when they cannot be used at the start.
 */
export class TlsWatch {
  /** What the files contained at the start. */
  readonly material: TlsMaterial
  readonly #config: TlsConfig
  readonly #log: Log
  // Owned by begin() and end().
  #serving: Serving | null = null
  // Owned by #look(): what it read the last time, and what it last put to use or found unusable.
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
   * Reads the files instead of waiting for notifications, which not every file system sends, and
   * which do not come when a symbolic link is changed.
   */
  async #look(): Promise<void> {
    const files = await readTlsFiles(this.#config)
    if (!this.#serving) return
    // Certificate and key are replaced one after the other, so a change counts once it has been
    // read twice in a row.
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
