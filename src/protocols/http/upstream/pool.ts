import type { Connection } from './connection.ts'

/**
 * Idle connections, the most recently used first. Each belongs to one lane (a caller with everybody
 * it acts for) and is never lent to another, so whatever one agent did to a connection affects
 * nobody else.
 */
export class Pool {
  readonly #idle = new Map<string, Connection[]>()
  // Owned by rest() and #turn(): released connections, before and after the event loop has read
  // from them once more.
  #fresh: Rested[] = []
  #rested: Rested[] = []
  #turning = false

  take(lane: string): Connection | null {
    const connections = this.#idle.get(lane)
    for (;;) {
      const connection = connections?.pop()
      if (connections?.length === 0) this.#idle.delete(lane)
      if (!connection) return null
      if (connection.usable) return connection
      connection.destroy()
    }
  }

  /**
   * Takes a connection back. It can be used again when the event loop has read from it once more,
   * since bytes that came right after an answer have ended it by then.
   */
  rest(lane: string, connection: Connection): void {
    this.#fresh.push({ lane, connection })
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => this.#turn())
  }

  forget(lane: string, connection: Connection): void {
    const connections = this.#idle.get(lane)
    const index = connections?.indexOf(connection) ?? -1
    if (index === -1) return
    connections!.splice(index, 1)
    if (connections!.length === 0) this.#idle.delete(lane)
  }

  #turn(): void {
    for (const { lane, connection } of this.#rested) {
      // A closed connection has been removed already, and nobody would remove it again.
      if (connection.closed) continue
      const connections = this.#idle.get(lane)
      if (connections) connections.push(connection)
      else this.#idle.set(lane, [connection])
    }
    this.#rested = this.#fresh
    this.#fresh = []
    if (this.#rested.length > 0) setImmediate(() => this.#turn())
    else this.#turning = false
  }
}

interface Rested {
  readonly lane: string
  readonly connection: Connection
}
