import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { TlsConfig } from './schema.ts'
import type { TlsFiles } from './tls-files.ts'

/** Reads both files while others go on working: they can be on a file system that hangs. Never rejects. */
export async function readTlsFiles({ cert, key }: TlsConfig): Promise<TlsFiles> {
  const read = (file: string) => readFile(file).catch((error: Error) => error)
  return { cert: await read(cert), key: await read(key) }
}

/** The same for the start, when nobody is kept waiting. Never throws. */
export function readTlsFilesNow({ cert, key }: TlsConfig): TlsFiles {
  return { cert: read(cert), key: read(key) }
}

function read(file: string): Buffer | Error {
  try {
    return readFileSync(file)
  } catch (error) {
    return error as Error
  }
}
