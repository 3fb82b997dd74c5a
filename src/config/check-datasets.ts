import { closest } from '../core/closest.ts'
import type { Finding } from './finding.ts'
import { canMatch } from './route-glob.ts'
import type { Config } from './schema.ts'

/**
 * Finds data sets with a name that is taken, in a resource that does not exist or has no such
 * parts, with a route that never matches, or without any place.
 */
export function* checkDatasets({ datasets, resources }: Config): Generator<Finding> {
  for (const [i, { name, tables, routes }] of datasets.entries()) {
    const path = ['datasets', i]
    if (datasets.findIndex((other) => other.name === name) < i)
      yield {
        path: [...path, 'name'],
        message: `Another data set is called ${name}.`,
        remedy: 'What is counted is counted by its name: put all of it into one data set.',
      }
    if (tables.length + routes.length === 0)
      yield {
        path: [...path, 'name'],
        message: `The data set ${name} is nowhere.`,
        remedy: 'Name its tables or its routes.',
      }
    for (const [j, { on }] of tables.entries())
      yield* checkPlace(resources, [...path, 'tables', j, 'on'], on, 'postgres')
    for (const [j, { on, route }] of routes.entries()) {
      yield* checkPlace(resources, [...path, 'routes', j, 'on'], on, 'http')
      if (!canMatch(route))
        yield {
          path: [...path, 'routes', j, 'route'],
          message: 'This route can never match.',
          remedy:
            'Write the path as it is sent: no query, %, \\, // or dot segments. Close all brackets.',
        }
    }
  }
}

const what = { http: 'routes', postgres: 'tables' }

function* checkPlace(
  resources: Config['resources'],
  path: Finding['path'],
  on: string,
  protocol: 'http' | 'postgres',
): Generator<Finding> {
  const resource = resources.find(({ name }) => name === on)
  if (!resource) {
    const names = resources.map(({ name }) => name)
    const guess = closest(on, names)
    yield {
      path,
      message: `There is no resource "${on}".`,
      remedy: guess ? `Did you mean "${guess}"?` : `The resources are ${names.join(', ')}.`,
    }
  } else if (resource.protocol !== protocol) {
    yield {
      path,
      message: `${on} is a resource of the protocol ${resource.protocol}, which has no ${what[protocol]}.`,
      remedy: `Name a resource of the protocol ${protocol}.`,
    }
  }
}
