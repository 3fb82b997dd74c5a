import type { Socket } from 'node:net'

/**
 * Connections that have not shown who they are. Each may wait for a while, and only so many may
 * exist at once. Beyond that, the oldest connection of the address with the most of them is closed:
 * somebody who opens thousands and says nothing pushes out only their own.
 */
export class Strangers {
  readonly #most: number
  readonly #byAddress = new Map<string, Set<Socket>>()
  #all = 0

  constructor(most: number) {
    this.#most = most
  }

  /**
   * Counts a connection in, and returns a function that counts it out. Only its first call counts.
   */
  enter(socket: Socket): () => void {
    const address = socket.remoteAddress ?? ''
    const beside = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, beside.add(socket))
    this.#all += 1
    if (this.#all > this.#most) this.#pushOut()
    return () => this.#leave(socket, address)
  }

  #leave(socket: Socket, address: string): void {
    const beside = this.#byAddress.get(address)
    if (!beside?.delete(socket)) return
    this.#all -= 1
    if (beside.size === 0) this.#byAddress.delete(address)
  }

  #pushOut(): void {
    const crowds = [...this.#byAddress].toSorted(([, a], [, b]) => b.size - a.size)
    const [address, crowd] = crowds[0]!
    const [oldest] = crowd
    this.#leave(oldest!, address)
    oldest!.destroy()
  }
}
