import type { Config } from './schema.ts'

/** The names of the resources for which decisions are recorded, but not enforced. */
export function observedResources({ mode, resources }: Config): readonly string[] {
  return resources
    .filter((resource) => (resource.mode ?? mode) === 'observe')
    .map(({ name }) => name)
}
