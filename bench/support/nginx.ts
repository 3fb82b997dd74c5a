import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOn } from './process.ts'

/** One nginx worker on one core with these server blocks. `pid` is the worker's, which is the one that works. */
export async function startNginx(
  core: number,
  servers: string,
): Promise<{ pid: number; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'))
  const config = join(dir, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log;
     events { worker_connections 40960; }
     http {
       access_log off; keepalive_requests 1000000; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
       fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
       ${servers}
     }`,
  )
  const child = await startOn(core, ['nginx', '-c', config], null)
  await sleep(300)
  const master = readFileSync(join(dir, 'pid'), 'utf8').trim()
  const worker = Number(execFileSync('pgrep', ['-P', master], { encoding: 'utf8' }).trim())
  return {
    pid: worker,
    async stop() {
      process.kill(Number(master), 'SIGQUIT')
      if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}
