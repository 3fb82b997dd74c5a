import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Certificate } from './certificate.ts'
import { freePort, startOn, stop } from './process.ts'

/** A pgbouncer with sessions of its own for each client, as the gateway has them. It refuses to run as root. */
export async function startPgbouncer(
  core: number,
  database: { readonly port: number; readonly name: string },
  tls: Certificate | null = null,
): Promise<{ readonly port: number; readonly pid: number; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pgbouncer-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
${database.name} = host=127.0.0.1 port=${database.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users')}
log_connections = 0
log_disconnections = 0
pool_mode = session
max_client_conn = 2000
default_pool_size = 200
${tls ? `client_tls_sslmode = require\nclient_tls_cert_file = ${tls.cert}\nclient_tls_key_file = ${tls.key}\nserver_tls_sslmode = require` : ''}
`,
  )
  writeFileSync(join(folder, 'users'), '"postgres" ""\n')
  const command = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', 'pgbouncer']
  const child = await startOn(core, [...command, file], /process up/)
  return {
    port,
    pid: child.pid,
    async stop() {
      await stop(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
