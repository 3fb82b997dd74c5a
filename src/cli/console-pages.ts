import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The folder of the built console pages, or `null` where there are none: the gateway and its API
 * work without them.
 */
export function consolePages(): string | null {
  const folder = fileURLToPath(new URL('../../dist/pages', import.meta.url))
  return existsSync(folder) ? folder : null
}
