import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

  constructor(name = 'Authority') {
    atEnd(async () => rmSync(this.folder, { recursive: true }))
    run(
      `req -x509 -subj /CN=${name} -days 2 ${freshKey} -keyout`,
      this.#at('ca.key'),
      '-out',
      this.file,
    )
    this.pem = readFileSync(this.file, 'utf8')
  }

  /** A certificate in the files `<name>.pem` and `<name>.key`, for `localhost` and 127.0.0.1 if nothing else is said. */
  issue(
    name: string,
    { days = 2, key = freshKey, alt = names, subject = '/CN=localhost', ca = false } = {},
  ): CertificateFiles {
    const files = { cert: this.#at(`${name}.pem`), key: this.#at(`${name}.key`) }
    const request = this.#at(`${name}.csr`)
    const more = ['-subj', subject, ...(alt ? ['-addext', `subjectAltName=${alt}`] : [])]
    if (ca) more.push('-addext', 'basicConstraints=critical,CA:TRUE')
    run(`req ${key} -keyout`, files.key, '-out', request, ...more)
    const by = ['-CA', this.file, '-CAkey', this.#at('ca.key'), '-CAcreateserial']
    run(`x509 -req -copy_extensions copyall -days ${days} -in`, request, ...by, '-out', files.cert)
    return files
  }

  /** One that is not valid before 2099. */
  issueForLater(name: string, options: Parameters<Authority['issue']>[1] = {}): CertificateFiles {
    const files = this.issue(name, options)
    const [config, index] = [this.#at('later.cnf'), this.#at('later')]
    writeFileSync(index, '')
    writeFileSync(
      config,
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${index}\nnew_certs_dir=${this.folder}\ndefault_md=sha256\nrand_serial=yes\npolicy=p\ncopy_extensions=copyall\n[p]\ncommonName=supplied\n`,
    )
    const by = ['-keyfile', this.#at('ca.key'), '-cert', this.file]
    const when = '-startdate 20990101000000Z -enddate 20991231000000Z'
    run(
      `ca -batch -notext ${when} -config`,
      ...[config, ...by, '-in', this.#at(`${name}.csr`), '-out', files.cert],
    )
    return files
  }

  /** The list of what it revoked, these certificates, in the file that is returned. */
  revoke(...certificates: CertificateFiles[]): string {
    const [config, index, list] = [this.#at('ca.cnf'), this.#at('index'), this.#at('crl.pem')]
    writeFileSync(index, '')
    writeFileSync(
      config,
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${index}\ndefault_md=sha256\ndefault_crl_days=1\n`,
    )
    const by = ['-keyfile', this.#at('ca.key'), '-cert', this.file]
    for (const { cert } of certificates) run('ca -config', config, ...by, '-revoke', cert)
    run('ca -gencrl -config', config, ...by, '-out', list)
    return list
  }

  #at(name: string): string {
    return join(this.folder, name)
  }
}

const freshKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
const names = 'DNS:localhost,IP:127.0.0.1'

function run(words: string, ...more: string[]): void {
  execFileSync('openssl', [...words.split(' '), ...more], { stdio: 'pipe' })
}
