import type { Config } from './schema.ts'

/** The names of the resources whose decisions are recorded, and not enforced. */
export function observedResources({ mode, resources }: Config): readonly string[] {
  return resources
    .filter((resource) => (resource.mode ?? mode) === 'observe')
    .map(({ name }) => name)
}
