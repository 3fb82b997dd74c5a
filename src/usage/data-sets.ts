import picomatch from 'picomatch'
import type { Dataset } from '../config/schema.ts'
import { Unknown, type Action, type Attribute } from '../core/action.ts'
import type { TouchedData } from '../core/data-use.ts'

/**
 * The most names of one kind that are kept of an action. A statement may name more columns than
 * anybody reads.
 */
const most = 100

/**
 * Tells which data an action touches: tables and columns by the names that the server resolves, and
 * data sets as the configuration declares them.
 */
export class DataSets {
  readonly #byResource: ReadonlyMap<string, readonly Declared[]>

  constructor(datasets: readonly Dataset[]) {
    const all = datasets.flatMap(declared)
    this.#byResource = Map.groupBy(all, ({ on }) => on)
  }

  /**
   * What an action touches; `null` if nothing with a name. Where that cannot be told, it counts as
   * touching every data set of the resource.
   */
  touchedBy({ resource, attributes }: Pick<Action, 'resource' | 'attributes'>): TouchedData | null {
    const { sql, http } = attributes
    const here = this.#byResource.get(resource)
    if (sql) {
      const [tables, columns] = [namesIn(sql['tables']), namesIn(sql['columns'])]
      const reached = namesIn(sql['reached'])
      const touched = { tables: [tables, reached], columns }
      return summed(here?.filter((one) => one.holds(touched)) ?? [], tables ?? [], columns ?? [])
    }
    if (!here || !http) return null
    const [method, path] = [http['method'], http['path']]
    return summed(
      here.filter((one) => one.serves(method, path)),
      [],
      [],
    )
  }
}

interface TouchedNames {
  /** `null` stands for a list that is not known. */
  readonly tables: readonly (readonly string[] | null)[]
  readonly columns: readonly string[] | null
}

/** One of the tables or routes that a data set consists of. */
interface Declared {
  readonly on: string
  readonly name: string
  readonly classes: readonly string[]
  holds(names: TouchedNames): boolean
  serves(method: Attribute | undefined, path: Attribute | undefined): boolean
}

const nowhere = () => false

function declared({ name, classes, tables, routes }: Dataset): Declared[] {
  return [
    ...tables.map(({ on, table, columns }) => ({
      ...{ on, name, classes },
      holds: holder(table, columns),
      serves: nowhere,
    })),
    ...routes.map(({ on, route }) => ({
      ...{ on, name, classes },
      holds: nowhere,
      serves: server(route),
    })),
  ]
}

function holder(table: string, columns: readonly string[] | undefined): Declared['holds'] {
  const schema = table.endsWith('.*') ? table.slice(0, -1) : null
  const isIt = (name: string) => (schema === null ? name === table : name.startsWith(schema))
  return ({ tables, columns: touched }) => {
    if (tables.some((names) => names === null)) return true
    if (!columns) return tables.some((names) => names!.some(isIt))
    if (touched === null) return true
    return touched.some((column) => {
      const dot = column.lastIndexOf('.')
      return isIt(column.slice(0, dot)) && columns.includes(column.slice(dot + 1))
    })
  }
}

/**
 * Matches a route. Upstreams differ in how they read paths, so case, doubled slashes and
 * percent-encoding must not be a way around being counted.
 */
function server(route: string): Declared['serves'] {
  const blank = route.indexOf(' ')
  const method = route.slice(0, blank)
  const options = { dot: true, nonegate: true, noextglob: true, windows: false }
  const matches = picomatch(folded(route.slice(blank + 1)), options)
  return (sent, path) => {
    if (method !== '*' && typeof sent === 'string' && sent !== method) return false
    if (typeof path !== 'string') return true
    return matches(folded(path)) || matches(folded(decoded(path)))
  }
}

function folded(path: string): string {
  const segments = path.toLowerCase().split('/')
  return `/${segments.filter((segment) => segment !== '').join('/')}`
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // No upstream can decode it either, and the caller has looked at it undecoded.
    return path
  }
}

/** The names in an attribute; `null` where they are not known. */
function namesIn(attribute: Attribute | undefined): readonly string[] | null {
  if (attribute === undefined) return []
  if (attribute instanceof Unknown || !Array.isArray(attribute)) return null
  return attribute.filter((name): name is string => typeof name === 'string')
}

function summed(
  found: readonly Declared[],
  tables: readonly string[],
  columns: readonly string[],
): TouchedData | null {
  if (found.length + tables.length + columns.length === 0) return null
  return {
    datasets: sorted(found.map(({ name }) => name)),
    classes: sorted(found.flatMap(({ classes }) => classes)),
    tables: sorted(tables).slice(0, most),
    columns: sorted(columns).slice(0, most),
  }
}

function sorted(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)].toSorted()
}
