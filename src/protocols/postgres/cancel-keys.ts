import { randomBytes } from 'node:crypto'

/** Something that the holder of a key may cancel. */
interface Cancellable {
  cancel(): Promise<void>
}

/** The keys that clients cancel with. They are ours: the server's own never leave the gateway. */
export class CancelKeys {
  readonly #sessions = new Map<string, Cancellable>()

  /**
   * Makes the secret of a session. The process id stays the server's own, because clients display
   * it and query the server by it.
   */
  issue(process: number, minor: number, session: Cancellable): Buffer {
    // Protocol 3.0 has 4 bytes, 3.2 up to 256; PostgreSQL 18 gives 32.
    const secret = randomBytes(minor >= 2 ? 32 : 4)
    this.#sessions.set(keyOf(process, secret), session)
    return secret
  }

  revoke(process: number, secret: Buffer): void {
    this.#sessions.delete(keyOf(process, secret))
  }

  /**
   * Cancels what the session runs, and resolves when that is done. The caller does not learn
   * whether there is such a session.
   */
  async use(process: number, secret: Buffer): Promise<void> {
    await this.#sessions.get(keyOf(process, secret))?.cancel()
  }
}

function keyOf(process: number, secret: Buffer): string {
  return `${process} ${secret.toString('hex')}`
}
