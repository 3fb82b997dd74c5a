import { StoreError } from '../store/db.ts'

/**
 * Does what rests on a look at an approval. The database's clock goes on meanwhile, and past its
 * time it takes no vote and no edge: closed, nothing was written. Looked at again it is over, which
 * is a state that has a name and goes on record.
 */
export async function lookedAgain<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'SP002') return work()
    throw error
  }
}
