/**
 * Of a relation: by the name of each column, the columns (`schema.table.column`) that are read with
 * it.
 */
export type Columns = ReadonlyMap<string, readonly string[]>

/** One thing in a FROM clause. */
export interface Source {
  /** The name that columns are qualified with. */
  readonly alias: string
  /** Of a table that has no alias: `schema.table.column` works, too. */
  readonly schema: string | null
  /** Two of the same name count together. */
  readonly columns: Columns
  /** In order, each by itself, as `*` gives them. */
  readonly outputs: readonly Output[]
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

/**
 * What stands between two commas of a FROM clause: the names that it brings, and what `*` makes of
 * it.
 */
export interface Item {
  readonly sources: readonly Source[]
  readonly outputs: Outputs
}

/**
 * `takesRows`: stored rows are among what it gives, all of them unless a condition says otherwise.
 */
export interface Taken extends Item {
  readonly takesRows: boolean
}

/** One level of a query: what its names can mean, and the query around it. */
export class Scope {
  readonly outer: Scope | null
  readonly #sources: Source[] = []
  readonly #items: Outputs[] = []
  readonly #queries: Map<string, Outputs>

  constructor(outer: Scope | null, queries = new Map<string, Outputs>()) {
    this.outer = outer
    this.#queries = queries
  }

  get sources(): readonly Source[] {
    return this.#sources
  }

  /** What `*` stands for. */
  get all(): Outputs {
    return {
      list: this.#items.flatMap(({ list }) => list),
      open: this.#items.length === 0 || this.#items.some(({ open }) => open),
    }
  }

  add({ sources, outputs }: Item): void {
    this.#sources.push(...sources)
    this.#items.push(outputs)
  }

  /**
   * The same level without what stands in its FROM: a subquery that is not LATERAL does not see its
   * neighbours, and their names are looked for further out.
   */
  apart(): Scope {
    return new Scope(this.outer, this.#queries)
  }

  /**
   * The same level with more in its FROM: what stands on the right of a JOIN may be LATERAL to its
   * left.
   */
  beside(item: Item): Scope {
    const scope = this.apart()
    scope.add({ sources: this.#sources, outputs: this.all })
    scope.add(item)
    return scope
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

  /** Whether something has a column of that name, here or around. */
  hasColumn(name: string): boolean {
    return [...this.levels()].some(({ sources }) =>
      sources.some(({ columns }) => columns.has(name)),
    )
  }
}

/** In the order in which a relation has them. */
export function outputsOf(columns: Columns, renamed: readonly string[] = []): readonly Output[] {
  return [...columns].map(([name, stored], position) => ({
    name: renamed[position] ?? name,
    columns: stored,
  }))
}

export function sourceFrom(parts: Omit<Source, 'columns'>): Source {
  const columns = new Map<string, readonly string[]>()
  for (const { name, columns: stored } of parts.outputs) {
    // A list of names behind an alias may give one twice: `t AS x(a, a)`.
    if (name !== null) columns.set(name, [...(columns.get(name) ?? []), ...stored])
  }
  return { ...parts, columns }
}

/** `sources`: one, or everything that one name may mean. */
export function itemOf(sources: readonly Source[]): Item {
  const list = sources.flatMap(({ outputs }) => outputs)
  return {
    sources,
    outputs: { list, open: sources.length > 1 || sources.some(({ open }) => open) },
  }
}

/**
 * What a query in FROM offers. Its stored columns were found when it was read itself, so that
 * naming one here adds nothing.
 */
export function derived(alias: string, outputs: Outputs, renamed: readonly string[]): Source {
  const list = outputs.list.map(({ name }, i) => ({ name: renamed[i] ?? name, columns: [] }))
  const given = renamed.map((name) => ({ name, columns: [] }))
  // Where nobody can tell how many columns there are, only the names that are given are certain:
  // one that is not there hides another one of that name further out.
  const certain = outputs.open && renamed.length > 0 ? given : list
  const open = outputs.open || certain.some(({ name }) => name === null)
  return sourceFrom({ alias, schema: null, outputs: certain, open, stored: false })
}
