import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { MistakesError } from '../core/errors.ts'

/**
 * One session of the owner of the tables. Without parameters, a query may hold several statements.
 */
export interface OwnerSession {
  query(sql: string, params?: unknown[]): Promise<{ rows: unknown[] }>
}

interface Migration {
  readonly file: string
  readonly checksum: string
  readonly sql: string
}

const folder = new URL('../../migrations/', import.meta.url)
// The advisory lock that replicas take in turns. Any number will do, as long as it never changes.
const turn = 7_311_146

/**
 * Brings the schema up to date in one transaction. Rejects with a `MistakesError` when a migration
 * was edited after it had been applied, or when the database belongs to a newer version.
 */
export async function migrate(session: OwnerSession): Promise<void> {
  const migrations = await readMigrations()
  await session.query('BEGIN')
  try {
    await session.query('SELECT pg_advisory_xact_lock($1)', [turn])
    const applied = await readApplied(session)
    refuseDifferences(migrations, applied)
    for (const { file, checksum, sql } of migrations) {
      if (applied.has(file)) continue
      // The row comes first: should the lock ever fail, a second replica stops here.
      await session.query('INSERT INTO sallyport.migrations (file, checksum) VALUES ($1, $2)', [
        file,
        checksum,
      ])
      await session.query(sql)
    }
    await session.query('COMMIT')
  } catch (error) {
    await session.query('ROLLBACK')
    throw error
  }
}

async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).toSorted()
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, folder), 'utf8')
      return { file, checksum: createHash('sha256').update(sql).digest('hex'), sql }
    }),
  )
}

/** Reads the checksums by file name. Creates their table on a new database. */
async function readApplied(session: OwnerSession): Promise<Map<string, string>> {
  const { rows: found } = await session.query(
    "SELECT to_regclass('sallyport.migrations') IS NOT NULL AS yes",
  )
  if (!(found as { yes: boolean }[])[0]!.yes) {
    await session.query(`
      CREATE SCHEMA IF NOT EXISTS sallyport;
      CREATE TABLE sallyport.migrations (
        file text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );`)
  }
  const { rows } = await session.query('SELECT file, checksum FROM sallyport.migrations')
  return new Map((rows as Migration[]).map(({ file, checksum }) => [file, checksum]))
}

function refuseDifferences(migrations: readonly Migration[], applied: Map<string, string>): void {
  const known = new Map(migrations.map(({ file, checksum }) => [file, checksum]))
  const mistakes = [...applied].flatMap(([file, checksum]) => {
    if (known.get(file) === checksum) return []
    return known.has(file)
      ? {
          file: `migrations/${file}`,
          message: 'was changed after it had been applied to this database',
          remedy: 'Restore the file, and put the change into a new migration.',
        }
      : {
          file: `migrations/${file}`,
          message: 'was applied to this database, and this version of Sallyport does not have it',
          remedy: 'Run the version that this database belongs to, or a newer one.',
        }
  })
  if (mistakes.length > 0) throw new MistakesError(mistakes)
}
