import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs a Python program of this repository. Rejects with `code` and `stdout` when it says no. */
export function python(args: readonly string[]): Promise<{ stdout: string }> {
  return promisify(execFile)('python3', args, { cwd: root, maxBuffer: 1 << 26 })
}
