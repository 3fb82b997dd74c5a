import type { ServerSide } from './server-side.ts'

/** A function as the catalogue has it. */
export interface CalledFunction {
  /** Qualified, and quoted where that is needed. */
  readonly name: string
  /** OIDs of the types of its arguments. */
  readonly types: readonly number[]
}

/**
 * OIDs below are given out when a database is made, and mean the same for as long as it lives
 * (PostgreSQL, FirstNormalObjectId).
 */
const firstOfUsers = 16_384

/**
 * What the OIDs in function calls stand for (PostgreSQL documentation, "Function Call"). The server
 * is asked, in the session, so it knows what its transaction has made.
 */
export class Functions {
  readonly #server: ServerSide
  readonly #builtIn = new Map<number, CalledFunction>()

  constructor(server: ServerSide) {
    this.#server = server
  }

  /**
   * `null` where there is none. Only when nothing is outstanding, and the transaction has not
   * failed.
   */
  async find(oid: number): Promise<CalledFunction | null> {
    const known = this.#builtIn.get(oid)
    if (known) return known
    const [row] = await this.#server.ask(question(oid))
    if (!row) return null
    const [name, types] = row
    const found = { name: name!, types: types!.split(' ').filter(Boolean).map(Number) }
    if (oid < firstOfUsers) this.#builtIn.set(oid, found)
    return found
  }
}

/** The text that calls it with so many values. */
export function asSelect({ name }: CalledFunction, count: number): string {
  const values = Array.from({ length: count }, (_, i) => `$${i + 1}`)
  return `SELECT ${name}(${values.join(', ')})`
}

// Every name is qualified: the session's own search_path must not decide what this means.
const question = (oid: number): string =>
  `SELECT pg_catalog.format('%I.%I', n.nspname, p.proname), p.proargtypes
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE p.oid OPERATOR(pg_catalog.=) ${oid}::pg_catalog.oid`
