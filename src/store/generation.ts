import { StoreError, type Queryable } from './db.ts'

/**
 * Our own SQLSTATE for a decision by policies that are no longer in force
 * (migrations/0006_in_force.sql).
 */
const superseded = 'SP005'

/**
 * For a transaction that acts on a decision: keeps other policies from coming into force until it
 * has ended. Rejects with a `StoreError` for which `isSuperseded` is true when others already have.
 */
export async function pinGeneration(tx: Queryable, generation: number): Promise<void> {
  await tx.query('SELECT sallyport.pin_generation($1)', [generation])
}

/**
 * Whether something was refused because the policies that decided it are no longer in force.
 * Nothing was written then.
 */
export function isSuperseded(error: unknown): boolean {
  return error instanceof StoreError && error.code === superseded
}
