import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { MistakesError } from '../core/errors.ts'
import { checkShape } from '../core/shape.ts'
import { readYaml } from '../core/yaml.ts'
import { knownChannels } from '../config/check-channels.ts'
import { hideVariables } from '../config/environment.ts'
import { factsOf } from '../policy/attributes.ts'
import type { Known } from '../policy/known.ts'
import { UsageError } from './errors.ts'

/** The configuration of the quickstart, which the shipped policies are for. */
export const quickstartConfig = fileURLToPath(
  new URL('../../examples/quickstart/sallyport.yaml', import.meta.url),
)

/**
 * The part of `sallyport.yaml` that policies refer to. The rest may need variables that only the
 * gateway has.
 */
const partOfConfig = z.looseObject({
  policies: z.string().default('./policies'),
  resources: z.array(z.looseObject({ name: z.string(), protocol: z.string() })),
  datasets: z
    .array(z.looseObject({ name: z.string(), classes: z.array(z.string()).default([]) }))
    .default([]),
  channels: z.looseObject({ webhooks: z.record(z.string(), z.unknown()).default({}) }).prefault({}),
})

export interface PolicyOptions {
  readonly config?: string
}

/**
 * Which policies are meant, and what they may refer to. Without a configuration here, the
 * quickstart's.
 */
export function policySource(
  start: string,
  folder: string | undefined,
  { config }: PolicyOptions,
): { folder: string; known: Known } {
  const own = join(start, 'sallyport.yaml')
  const file = config ? resolve(start, config) : existsSync(own) ? own : quickstartConfig
  if (!existsSync(file))
    throw new UsageError(`There is no ${file}.`, 'Name the configuration with --config.')
  const source = readYaml(file, hideVariables(readFileSync(file, 'utf8')))
  const part = checkShape(partOfConfig, source)
  if (!part) throw new MistakesError(source.mistakes)
  return {
    folder: folder ? resolve(start, folder) : resolve(dirname(file), part.policies),
    known: {
      resources: part.resources.map(({ name, protocol }) => ({
        name,
        protocol,
        facts: factsOf(protocol),
      })),
      datasets: part.datasets,
      channels: knownChannels(part.channels),
    },
  }
}
