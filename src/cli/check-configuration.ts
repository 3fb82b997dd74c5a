import { existsSync } from 'node:fs'
import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/environment.ts'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { loadPolicies } from '../policy/load.ts'
import { policySource } from './policy-source.ts'

/**
 * Reads a configuration and its policies as the gateway would. Throws `MistakesError` with the
 * mistakes of both.
 */
export async function checkConfiguration(
  file: string,
  start: string,
  environment: Environment,
): Promise<void> {
  const inConfig = await mistakesOf(async () => loadConfig(file, environment))
  const inPolicies = await mistakesOf(async () => {
    const { folder, known } = policySource(start, undefined, { config: file })
    if (existsSync(folder)) await loadPolicies(folder, known)
  })
  // For a file that cannot be read at all, both report the same mistake.
  const said = new Set(inConfig.map((mistake) => JSON.stringify(mistake)))
  const all = [...inConfig, ...inPolicies.filter((mistake) => !said.has(JSON.stringify(mistake)))]
  if (all.length > 0) throw new MistakesError(all)
}

async function mistakesOf(read: () => Promise<unknown>): Promise<readonly Mistake[]> {
  try {
    await read()
    return []
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes
  }
}
