import type { Config } from '../config/schema.ts'
import { MistakesError } from '../core/errors.ts'
import type { Terminal } from './terminal.ts'

/**
 * Starts something, waits until the user interrupts, and closes it. Interrupted while it starts, it is closed once it has started, unless it rejects with the
 * reason of the interruption.
 */
export async function runUntilInterrupted(
  { interrupted, note }: Terminal,
  listen: Config['listen'],
  start: () => Promise<{ close(): Promise<void> }>,
): Promise<void> {
  const running = await start().catch((error: unknown) => {
    if (interrupted.aborted && error === interrupted.reason) return null
    throw explain(error, listen)
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

/** An address that cannot be listened on, by the key that names it. Any other error is left as it is. */
function explain(error: unknown, { agents, control }: Config['listen']): unknown {
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & {
    port?: number
    address?: string
  }
  const reason = reasons[code ?? '']
  if (syscall !== 'listen' || !reason) return error
  const listeners = Object.entries({ agents, control })
  const key = listeners.find(([, listener]) => listener.address.port === port)?.[0]
  const { message, remedy } = reason
  return new MistakesError([
    {
      file: key ? `listen.${key}.address` : 'the demo',
      message: `${address}:${port} ${message}.`,
      remedy,
    },
  ])
}
