import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where the console's pages were built to, or `null`: the gateway works without, and so does its
 * API.
 */
export function consolePages(): string | null {
  const folder = fileURLToPath(new URL('../../dist/pages', import.meta.url))
  return existsSync(folder) ? folder : null
}
