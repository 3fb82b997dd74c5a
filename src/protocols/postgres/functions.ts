import type { ServerSide } from './server-side.ts'

/** A function as the catalogue has it. */
export interface CalledFunction {
  /** Qualified, and quoted where that is needed. */
  readonly name: string
  /** OIDs of the types of its arguments. */
  readonly types: readonly number[]
}

/**
 * Lower OIDs are assigned when a database is made, and never change their meaning (PostgreSQL,
 * FirstNormalObjectId).
 */
const firstOfUsers = 16_384

/**
 * Finds out what the OIDs in function calls stand for (PostgreSQL documentation, "Function Call").
 * It asks within the session, which also sees what its own transaction has created.
 */
export class Functions {
  readonly #server: ServerSide
  readonly #builtIn = new Map<number, CalledFunction>()

  constructor(server: ServerSide) {
    this.#server = server
  }

  /**
   * Returns `null` where there is no such function. To be called only when nothing is outstanding
   * and the transaction has not failed.
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

/** The SELECT that calls it with `count` values. */
export function asSelect({ name }: CalledFunction, count: number): string {
  const values = Array.from({ length: count }, (_, i) => `$${i + 1}`)
  return `SELECT ${name}(${values.join(', ')})`
}

// Every name is qualified, so that the session's search_path cannot decide what this means.
const question = (oid: number): string =>
  `SELECT pg_catalog.format('%I.%I', n.nspname, p.proname), p.proargtypes
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE p.oid OPERATOR(pg_catalog.=) ${oid}::pg_catalog.oid`
