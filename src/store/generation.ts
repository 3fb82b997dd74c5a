import { StoreError, type Queryable } from './db.ts'

/**
 * SQLSTATE of ours: decided under policies that are no longer in force
 * (migrations/0006_in_force.sql).
 */
const superseded = 'SP005'

/**
 * For a transaction that acts on a decision: until it has ended, no other policies come into force.
 * Rejects with a `StoreError` that `isSuperseded` knows when others have already.
 */
export async function pinGeneration(tx: Queryable, generation: number): Promise<void> {
  await tx.query('SELECT sallyport.pin_generation($1)', [generation])
}

/**
 * Whether something was refused because other policies are in force than those that it was decided
 * by. Nothing was written then.
 */
export function isSuperseded(error: unknown): boolean {
  return error instanceof StoreError && error.code === superseded
}
