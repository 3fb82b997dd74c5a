import type { Connection } from './connection.ts'

/**
 * Connections that wait for another request, the last used first. Each belongs to one lane, a
 * caller with everybody it acts for, and is never lent to another: whatever one agent did to a
 * connection, nobody else meets it.
 */
export class Pool {
  readonly #idle = new Map<string, Connection[]>()
  // Owned by rest() and #turn(): released connections, before and after the event loop has looked
  // for what else they have to say.
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
   * Takes a connection back. It can be used again when the event loop has read from it once more:
   * bytes that came right behind an answer have ended it by then.
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
      // It has been forgotten already: nobody would take it out again.
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
