import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below those that Linux gives out by itself, to servers that ask for any and to connections that go out (from 32768 on): whoever is told one of these finds it free
 * later, too, also while what had it is being started again.
 */
const [first, end] = [12_000, 32_000]
let next = first + ((process.pid * 97) % (end - first))

/** A port of the loopback that nobody uses now, and that this process has not been told before: for what has to know its port before it starts. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next
    next = port + 1 < end ? port + 1 : first
    const probe = createServer().listen(port, '127.0.0.1')
    try {
      await once(probe, 'listening')
    } catch {
      // Somebody else has it.
      continue
    }
    probe.close()
    await once(probe, 'close')
    return port
  }
}
