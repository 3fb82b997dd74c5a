import { StoreError } from '../store/db.ts'

/**
 * Does work that rests on a look at an approval, and repeats it once if the approval expires in
 * between. Closed: past that time the database takes no vote and no edge (SP002), and nothing was
 * written. The second look finds it expired, which has a name and goes on record.
 */
export async function lookedAgain<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'SP002') return work()
    throw error
  }
}
