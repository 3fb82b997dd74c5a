import type { PostgresResource } from '../../config/schema.ts'
import { Rejection } from './rejection.ts'

type Limits = Pick<PostgresResource, 'max_connections' | 'max_connections_per_subject'>

/** Limits connections, each of which takes one of the server's. */
export class Crowd {
  readonly #limits: Limits
  readonly #bySubject = new Map<string, number>()
  #all = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /**
   * Counts a connection in, and returns a function that counts it out. Throws a `Rejection` where
   * there are too many.
   */
  enter(subject: string): () => void {
    const { max_connections: most, max_connections_per_subject: own } = this.#limits
    const before = this.#bySubject.get(subject) ?? 0
    if (before >= own)
      throw new Rejection('53300', `you have ${own} connections already`, 'Close some of them.')
    if (this.#all >= most)
      throw new Rejection('53300', 'too many connections to this database through the gateway')
    this.#all += 1
    this.#bySubject.set(subject, before + 1)
    return () => {
      this.#all -= 1
      const left = this.#bySubject.get(subject)! - 1
      if (left > 0) this.#bySubject.set(subject, left)
      else this.#bySubject.delete(subject)
    }
  }
}
