import type { Desk } from './desk.ts'
import { ExtendedProtocol } from './extended-protocol.ts'
import { Skipped } from './server-side.ts'
import { SimpleProtocol } from './simple-protocol.ts'
import { WireFault } from './wire/fault.ts'
import type { FrontendMessage, FrontendRows } from './wire/frontend.ts'

/**
 * Takes a client's messages one after another, and forwards each, or sends something in its place
 * that the server must refuse. Nothing overtakes: a message waits for the decision on the one
 * before it.
 */
export class Front {
  readonly #desk: Desk
  readonly #simple: SimpleProtocol
  readonly #extended: ExtendedProtocol

  constructor(desk: Desk) {
    this.#desk = desk
    this.#simple = new SimpleProtocol(desk)
    this.#extended = new ExtendedProtocol(desk)
  }

  /**
   * Resolves when the next message may come; returns nothing at all where there is nothing to wait
   * for. Throws or rejects with what ends the session.
   */
  take(message: FrontendMessage): Promise<void> | void {
    try {
      const taking = this.#take(message)
      return taking && taking.catch(unlessSkipped)
    } catch (error) {
      unlessSkipped(error)
    }
  }

  /** Takes rows of a COPY FROM STDIN. */
  pass(rows: FrontendRows): Promise<void> | void {
    return this.#desk.copying.pass(rows)
  }

  #take(message: FrontendMessage): Promise<void> | void {
    const { server, copying } = this.#desk
    if (server.answers.copyIn) return copying.take(message)
    // The server would skip it.
    if (server.answers.skipping && message.type !== 'S') return
    switch (message.type) {
      case 'Q':
        return this.#simple.query(message)
      case 'F':
        return this.#simple.call(message)
      case 'P':
        return this.#extended.parse(message)
      case 'B':
        return this.#extended.bind(message)
      case 'D':
        return this.#extended.describe(message)
      case 'E':
        return this.#extended.execute(message)
      case 'C':
        return this.#extended.close(message)
      case 'S':
        return this.#extended.sync(message)
      case 'H':
        return server.send(message.bytes)
      case 'p':
        throw new WireFault('unexpected password message')
      default:
        // Rows of a COPY that has failed. The server ignores them too.
        return
    }
  }
}

/** The server skips what comes after an error, and so do we. */
function unlessSkipped(error: unknown): void {
  if (!(error instanceof Skipped)) throw error
}
