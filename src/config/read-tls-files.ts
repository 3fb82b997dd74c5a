import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { TlsConfig } from './schema.ts'
import type { TlsFiles } from './tls-files.ts'

/** Reads the files asynchronously, since they can be on a file system that hangs. Never rejects. */
export async function readTlsFiles(paths: TlsConfig): Promise<TlsFiles> {
  const read = (file: string) => readFile(file).catch((error: Error) => error)
  const { cert, key, client_ca, client_crl } = paths
  return {
    cert: await read(cert),
    key: await read(key),
    ca: client_ca === undefined ? null : await read(client_ca),
    crl: client_crl === undefined ? null : await read(client_crl),
  }
}

/** The same synchronously, for the start, when nobody is kept waiting. Never throws. */
export function readTlsFilesNow({ cert, key, client_ca, client_crl }: TlsConfig): TlsFiles {
  return {
    cert: read(cert),
    key: read(key),
    ca: client_ca === undefined ? null : read(client_ca),
    crl: client_crl === undefined ? null : read(client_crl),
  }
}

function read(file: string): Buffer | Error {
  try {
    return readFileSync(file)
  } catch (error) {
    return error as Error
  }
}
