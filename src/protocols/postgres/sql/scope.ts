/** Of a relation: by the name of each column, the columns (`schema.table.column`) that are read with it. */
export type Columns = ReadonlyMap<string, readonly string[]>

/** One thing in a FROM clause. */
export interface Source {
  /** The name that columns are qualified with. */
  readonly alias: string
  /** Of a table that has no alias: `schema.table.column` works, too. */
  readonly schema: string | null
  readonly columns: Columns
  /** There may be columns that are not listed: of a function, or of a table that is not known. */
  readonly open: boolean
  /** It has `ctid`, `xmin` and their like. */
  readonly stored: boolean
}

/** A column of a result, with the stored columns that it was made from. */
export interface Output {
  readonly name: string | null
  readonly columns: readonly string[]
}

export interface Outputs {
  readonly list: readonly Output[]
  readonly open: boolean
}

export const noOutputs: Outputs = { list: [], open: false }

/** One level of a query: what its names can mean, and the query around it. */
export class Scope {
  readonly outer: Scope | null
  readonly sources: Source[] = []
  readonly #queries = new Map<string, Outputs>()
  /** Names that ORDER BY and GROUP BY may use for columns of the result. */
  readonly outputNames = new Set<string>()

  constructor(outer: Scope | null) {
    this.outer = outer
  }

  /** Announces a query of WITH. */
  define(name: string, outputs: Outputs): void {
    this.#queries.set(name, outputs)
  }

  /** The query of a WITH, here or around. */
  query(name: string): Outputs | null {
    return this.#queries.get(name) ?? this.outer?.query(name) ?? null
  }

  /** Every level, from this one outwards. */
  *levels(): Iterable<Scope> {
    yield this
    if (this.outer) yield* this.outer.levels()
  }

  sourceOf(alias: string, schema: string | null): Source | null {
    for (const { sources } of this.levels()) {
      const found = sources.find(
        (one) => one.alias === alias && (schema === null || one.schema === schema),
      )
      if (found) return found
    }
    return null
  }
}

/** What a query in FROM offers. Its stored columns were found when it was read itself, so that naming one here adds nothing. */
export function derived(
  alias: string,
  outputs: Outputs,
  renamed: readonly string[],
  lazily = false,
): Source {
  const columns = new Map<string, readonly string[]>()
  for (const [position, output] of outputs.list.entries()) {
    const name = renamed[position] ?? output.name
    if (name !== null) columns.set(name, lazily ? output.columns : [])
  }
  for (const name of renamed.slice(outputs.list.length)) columns.set(name, [])
  const unnamed = outputs.list.some(({ name }, position) => !renamed[position] && name === null)
  return { alias, schema: null, columns, open: outputs.open || unnamed, stored: false }
}
