import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEnd } from './store.ts'

/** Whether the machine has `openssl`: Node reads certificates, and issues none. */
export const openssl = spawnSync('openssl', ['version']).status === 0

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of a test's own, in a folder that is removed at its end. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  /** Path of its certificate. */
  readonly file = join(this.folder, 'ca.pem')
  readonly pem: string

  constructor() {
    atEnd(async () => rmSync(this.folder, { recursive: true }))
    run(
      `req -x509 -subj /CN=Authority -days 2 ${freshKey} -keyout`,
      this.#at('ca.key'),
      '-out',
      this.file,
    )
    this.pem = readFileSync(this.file, 'utf8')
  }

  /** A certificate for `localhost` and 127.0.0.1, in the files `<name>.pem` and `<name>.key`. */
  issue(name: string, { days = 2, key = freshKey } = {}): CertificateFiles {
    const files = { cert: this.#at(`${name}.pem`), key: this.#at(`${name}.key`) }
    const request = this.#at(`${name}.csr`)
    run(`req -subj /CN=localhost ${names} ${key} -keyout`, files.key, '-out', request)
    const by = ['-CA', this.file, '-CAkey', this.#at('ca.key'), '-CAcreateserial']
    run(`x509 -req -copy_extensions copyall -days ${days} -in`, request, ...by, '-out', files.cert)
    return files
  }

  #at(name: string): string {
    return join(this.folder, name)
  }
}

const freshKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
const names = '-addext subjectAltName=DNS:localhost,IP:127.0.0.1'

function run(words: string, ...more: string[]): void {
  execFileSync('openssl', [...words.split(' '), ...more], { stdio: 'pipe' })
}
