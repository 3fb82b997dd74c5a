import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly folder: string
  readonly cert: string
  readonly key: string
}

/** A certificate for 127.0.0.1 that vouches for itself, in files that PostgreSQL and pgbouncer take: owned by the user that they run as, and closed to others. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-tls-'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...fresh, ...names, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  })
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'postgres:postgres', folder])
  return { folder, cert, key }
}
