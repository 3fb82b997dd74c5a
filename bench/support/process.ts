import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Clock ticks of /proc/<pid>/stat in microseconds: USER_HZ is 100 on every Linux that Node supports. */
const tick = 10_000

/** Microseconds of CPU, user and system, that a process and all its threads have used so far (proc(5), fields 14 and 15). */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tick
}

/** Runs a command on one core, and returns it when it has printed what `ready` matches. */
export async function startOn(
  core: number,
  command: readonly string[],
  ready: RegExp | null,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess & { pid: number }> {
  const child = spawn('taskset', ['-c', String(core), ...command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  await once(child, 'spawn')
  if (ready) await untilPrinted(child, ready)
  return child as ChildProcess & { pid: number }
}

function untilPrinted(child: ChildProcess, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = ''
    for (const output of [child.stdout!, child.stderr!]) {
      output.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        if (ready.test(printed)) resolve()
      })
    }
    child.once('exit', (code) =>
      reject(new Error(`it ended with ${code} before it was ready:\n${printed}`)),
    )
  })
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
