/**
 * For each column of a relation, by name, the stored columns (`schema.table.column`) that are read
 * with it.
 */
export type Columns = ReadonlyMap<string, readonly string[]>

/** One thing in a FROM clause. */
export interface Source {
  /** The name that columns are qualified with. */
  readonly alias: string
  /**
   * Set for a table without an alias, whose columns can be written `schema.table.column` as well.
   */
  readonly schema: string | null
  /** By name. Columns of the same name count together. */
  readonly columns: Columns
  /** All columns in order, as `*` yields them. */
  readonly outputs: readonly Output[]
  /** Whether there may be columns that are not listed, as with a function or an unknown table. */
  readonly open: boolean
  /** Whether it has the system columns, such as `ctid` and `xmin`. */
  readonly stored: boolean
}

/** A column of a result, with the stored columns that it is made from. */
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
 * One item of a FROM clause, between two commas: the names that it brings, and what `*` yields for
 * it.
 */
export interface Item {
  readonly sources: readonly Source[]
  readonly outputs: Outputs
}

/**
 * `takesRows`: whether it yields stored rows, which are all rows unless a condition narrows them.
 */
export interface Taken extends Item {
  readonly takesRows: boolean
}

/** One level of a query: what names can mean in it, and the level around it. */
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
   * The same level without its FROM clause. A subquery that is not LATERAL cannot refer to its
   * neighbours there.
   */
  apart(): Scope {
    return new Scope(this.outer, this.#queries)
  }

  /**
   * The same level with one more item in its FROM clause. The right side of a JOIN may be LATERAL,
   * and refer to the left.
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

  /** A query that a WITH defines, on this level or further out. */
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

  /** Whether anything has a column of that name, on this level or further out. */
  hasColumn(name: string): boolean {
    return [...this.levels()].some(({ sources }) =>
      sources.some(({ columns }) => columns.has(name)),
    )
  }
}

/** The columns of a relation, in order, as outputs. */
export function outputsOf(columns: Columns, renamed: readonly string[] = []): readonly Output[] {
  return [...columns].map(([name, stored], position) => ({
    name: renamed[position] ?? name,
    columns: stored,
  }))
}

export function sourceFrom(parts: Omit<Source, 'columns'>): Source {
  const columns = new Map<string, readonly string[]>()
  for (const { name, columns: stored } of parts.outputs) {
    // An alias may name several columns alike: `t AS x(a, a)`.
    if (name !== null) columns.set(name, [...(columns.get(name) ?? []), ...stored])
  }
  return { ...parts, columns }
}

/** `sources`: one source, or all that a name may mean. */
export function itemOf(sources: readonly Source[]): Item {
  const list = sources.flatMap(({ outputs }) => outputs)
  return {
    sources,
    outputs: { list, open: sources.length > 1 || sources.some(({ open }) => open) },
  }
}

/**
 * The source that a query in a FROM clause provides. Its stored columns were added when it was
 * read, so naming one here adds nothing.
 */
export function derived(alias: string, outputs: Outputs, renamed: readonly string[]): Source {
  const list = outputs.list.map(({ name }, i) => ({ name: renamed[i] ?? name, columns: [] }))
  const given = renamed.map((name) => ({ name, columns: [] }))
  // Where the number of columns is unknown, only the given names are certain. A name that is
  // wrongly listed would hide one further out.
  const certain = outputs.open && renamed.length > 0 ? given : list
  const open = outputs.open || certain.some(({ name }) => name === null)
  return sourceFrom({ alias, schema: null, outputs: certain, open, stored: false })
}
