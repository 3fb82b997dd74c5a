import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, inject } from 'vitest'
import type { Store } from '../../src/store/db.ts'
import { PgliteDatabase } from '../../src/store/pglite-database.ts'
import { openOver } from '../../src/store/pglite.ts'
import { openPostgres } from '../../src/store/postgres.ts'

export type StoreKind = Store['kind']

const postgres = inject('postgres')
const asked = process.env['SALLYPORT_TEST_STORE'] as StoreKind | undefined
const closers: (() => Promise<void>)[] = []

/** What tests run on: a PostgreSQL where there is one, unless the other store is asked for. `.ci/run` asks for each of them. */
export const storeKinds: readonly StoreKind[] = [asked ?? (postgres ? 'postgres' : 'embedded')]

afterAll(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** Runs after the last test of the file; what was opened last is closed first. */
export function atEnd(close: () => Promise<void>): void {
  closers.push(close)
}

/** A fresh database with the whole schema. It is closed after the last test of the file. */
export async function openTestStore(kind: StoreKind = storeKinds[0]!): Promise<Store> {
  const store =
    kind === 'postgres' ? await openPostgres(await createTestDatabase()) : await openInMemory()
  atEnd(() => store.end())
  return store
}

/** URL of a fresh database with the whole schema, on the PostgreSQL of this run. */
export async function createTestDatabase(): Promise<string> {
  if (!postgres) throw new Error('This test needs a PostgreSQL, and this run has none.')
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`
  const admin = new Client({ connectionString: postgres.server })
  await admin.connect()
  try {
    await admin.query(`CREATE DATABASE ${name} OWNER owner TEMPLATE ${postgres.template}`)
  } finally {
    await admin.end()
  }
  const url = new URL(postgres.server)
  url.username = 'owner'
  url.pathname = name
  return url.href
}

/** A data folder of the embedded store, with the whole schema. It is removed after the last test of the file. */
export async function createDataFolder(within = tmpdir()): Promise<string> {
  const data = await mkdtemp(join(within, 'sallyport-data-'))
  atEnd(() => rm(data, { recursive: true }))
  const snapshot = await migratedSnapshot()
  const database = await PgliteDatabase.open({ folder: join(data, 'store'), snapshot })
  await database.close()
  return data
}

async function openInMemory(): Promise<Store> {
  const snapshot = await migratedSnapshot()
  return openOver(await PgliteDatabase.open({ folder: null, snapshot }), () => {})
}

const cache = fileURLToPath(new URL('../../node_modules/.cache/sallyport/', import.meta.url))
const migrations = fileURLToPath(new URL('../../migrations/', import.meta.url))

/** Creating a database takes seconds; a copy of a new one does not. Made once for each version of the migrations. */
async function migratedSnapshot(): Promise<ArrayBuffer> {
  const hash = createHash('sha256')
  for (const file of (await readdir(migrations)).toSorted()) {
    // Its name, too: a migration that got another number is another one to the database.
    hash.update(file).update(await readFile(join(migrations, file)))
  }
  const name = `embedded-${hash.digest('hex').slice(0, 16)}.tar`
  const path = join(cache, name)
  const cached = await readFile(path).catch(() => null)
  if (cached) return Uint8Array.from(cached).buffer

  const database = await PgliteDatabase.open({ folder: null, snapshot: null })
  const store = await openOver(database, () => {})
  const snapshot = await database.dump()
  await store.end()
  await mkdir(cache, { recursive: true })
  // Another test file may be at it too: whoever renames last wins, and both have the same content.
  await writeFile(`${path}.${process.pid}`, new Uint8Array(snapshot))
  await rename(`${path}.${process.pid}`, path)
  const others = (await readdir(cache)).filter((file) => !file.startsWith(name))
  await Promise.all(others.map((file) => rm(join(cache, file), { recursive: true, force: true })))
  return snapshot
}
