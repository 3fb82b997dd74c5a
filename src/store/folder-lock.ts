import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MistakesError } from '../core/errors.ts'

// The garbage collector would release a lock that nothing refers to.
const held = new Set<DatabaseSync>()

/**
 * Keeps a second process out of a data folder, where it would destroy the embedded database. It is
 * a lock of the operating system, on a file that SQLite locks portably, and ends with its process,
 * so there are no stale locks to clean up and no recycled pids to mislead us. Returns a function
 * that releases it. Throws a `MistakesError` that names the other process.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const holder = join(folder, 'lock.pid')
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new MistakesError([
      {
        file: folder,
        message: `is in use by another Sallyport (pid ${existsSync(holder) ? readFileSync(holder, 'utf8') : 'unknown'})`,
        remedy:
          'Stop that one, choose another `data` folder, or set store.url to share a PostgreSQL.',
      },
    ])
  }
  held.add(lock)
  writeFileSync(holder, String(process.pid))
  return () => {
    held.delete(lock)
    lock.close()
  }
}

function isBusy(error: unknown): boolean {
  const busy = 5 // SQLITE_BUSY
  return error instanceof Error && 'errcode' in error && error.errcode === busy
}
