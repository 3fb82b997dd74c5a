import { MistakesError } from '../core/errors.ts'
import type { Terminal } from './terminal.ts'

export type Ports = Readonly<Record<string, number>>

/**
 * Starts something, waits until the user interrupts, and closes it. Interrupted while it starts, it
 * is closed once it has started, unless it rejects with the reason of the interruption. `ports` has
 * those that it listens on, by what the user calls them: a key of the configuration, or an option.
 */
export async function runUntilInterrupted(
  { interrupted, note }: Terminal,
  ports: Ports,
  start: () => Promise<{ close(): Promise<void> }>,
): Promise<void> {
  const running = await start().catch((error: unknown) => {
    if (interrupted.aborted && error === interrupted.reason) return null
    throw explain(error, ports)
  })
  if (!running) return
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve()
    else interrupted.addEventListener('abort', () => resolve(), { once: true })
  })
  note('Stopping. A second time stops at once.')
  await running.close()
}

const reasons: Readonly<Record<string, { message: string; remedy: string }>> = {
  EADDRINUSE: {
    message: 'is in use',
    remedy: 'Stop what uses it, or choose another; port 0 takes any free one.',
  },
  EACCES: { message: 'may not be used', remedy: 'Choose a port above 1023.' },
  EADDRNOTAVAIL: {
    message: 'belongs to no interface of this machine',
    remedy: 'Choose an address that does, or 0.0.0.0 for all of them.',
  },
}

/**
 * An address that cannot be listened on, by what the user calls it. Any other error is left as it
 * is.
 */
function explain(error: unknown, ports: Ports): unknown {
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & {
    port?: number
    address?: string
  }
  const reason = reasons[code ?? '']
  const called = Object.keys(ports).find((name) => ports[name] === port)
  if (syscall !== 'listen' || !reason || !called) return error
  const { message, remedy } = reason
  return new MistakesError([{ file: called, message: `${address}:${port} ${message}.`, remedy }])
}
