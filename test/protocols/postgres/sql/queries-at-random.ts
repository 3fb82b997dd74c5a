/** Queries in which few names stand for many things: tables, columns, aliases and results share theirs, so that only the rules of scope tell them apart. */

/** Every column is a text, so that most of what is put together means something. */
export const namesakes = `
  CREATE SCHEMA s;
  CREATE TABLE s.t (a text, b text, u text);
  CREATE TABLE s.u (a text, c text, t text);
  CREATE TABLE s.c (b text, t text, c text);
  CREATE TABLE s.name (name text, text text, a text);
  CREATE VIEW s.v AS SELECT a, b || u AS c, (SELECT c.t FROM s.c LIMIT 1) AS b FROM s.t;`

const tables: Readonly<Record<string, readonly string[]>> = {
  t: ['a', 'b', 'u'],
  u: ['a', 'c', 't'],
  c: ['b', 't', 'c'],
  name: ['name', 'text', 'a'],
  v: ['a', 'c', 'b'],
}
const names = ['a', 'b', 'c', 't', 'u', 'name', 'text']

/** What a name may be qualified with, and the columns of that. Nearly as the server sees it: enough that it takes most of what is made. */
interface Visible {
  readonly alias: string
  readonly columns: readonly string[]
}

interface Made {
  readonly text: string
  readonly columns: readonly string[]
}

interface Item {
  readonly text: string
  readonly visible: readonly Visible[]
}

type Levels = readonly (readonly Visible[])[]

export class QueriesAtRandom {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** A SELECT; `depth`: how many more may stand within it. */
  query(depth: number): string {
    return this.#select(depth, [], this.#upTo(3)).text
  }

  #select(depth: number, outer: Levels, width: number): Made {
    if (depth > 0 && this.#chance(0.08)) return this.#setOperation(depth, outer, width)
    const common = depth > 0 && this.#chance(0.15) ? this.#with(depth, outer) : null
    const items = this.#several(this.#chance(0.6) ? 1 : 2)
    const from: Item[] = []
    for (const _ of items) from.push(this.#item(depth, outer, from, common))
    const levels = [from.flatMap(({ visible }) => visible), ...outer]
    const results = this.#several(width).map(() => this.#result(depth, levels))
    const list = results.map(({ text }) => text).join(', ')
    const columns = results.flatMap((one) => one.columns)
    const clauses = [
      this.#chance(0.3) ? ` WHERE ${this.#condition(depth, levels)}` : '',
      this.#chance(0.35) ? ` ORDER BY ${this.#sorted(depth, levels, columns)}` : '',
      this.#chance(0.1) ? ` OFFSET length(${this.#expression(depth - 1, outer)})` : '',
    ]
    const body = from.map(({ text }) => text).join(', ')
    return { text: `${common?.text ?? ''}SELECT ${list} FROM ${body}${clauses.join('')}`, columns }
  }

  #setOperation(depth: number, outer: Levels, width: number): Made {
    const [left, right] = [1, 2].map(() => this.#select(depth - 1, outer, width))
    const operation = this.#pick(['UNION', 'EXCEPT', 'INTERSECT ALL'])
    return { text: `(${left!.text}) ${operation} (${right!.text})`, columns: left!.columns }
  }

  #with(depth: number, outer: Levels): Visible & { readonly text: string } {
    const { text, columns } = this.#select(depth - 1, outer, this.#upTo(3))
    const alias = this.#name()
    const recursive = this.#chance(0.2) ? 'RECURSIVE ' : ''
    const renamed = this.#names(0.3, columns)
    return { alias, ...renamed, text: `WITH ${recursive}${alias}${renamed.list} AS (${text}) ` }
  }

  #item(depth: number, outer: Levels, before: readonly Item[], common: Visible | null): Item {
    const roll = this.#random()
    const beside = [before.flatMap(({ visible }) => visible), ...outer]
    if (depth > 0 && roll < 0.3) return this.#join(depth, outer, before, common)
    if (depth > 0 && roll < 0.5) {
      const lateral = this.#chance(0.4)
      const { text, columns } = this.#select(depth - 1, lateral ? beside : outer, this.#upTo(3))
      return this.#called(`${lateral ? 'LATERAL ' : ''}(${text})`, columns, 0.5)
    }
    if (roll < 0.55) return this.#called(`unnest(ARRAY[${this.#expression(0, beside)}])`, ['a'], 1)
    if (roll < 0.62) return this.#called(`(VALUES ('1', '2'))`, ['column1', 'column2'], 0.9)
    if (roll < 0.64) {
      const [alias, column] = [this.#name(), this.#name()]
      const text = `json_to_record('{}') AS ${alias}(${column} text)`
      return { text, visible: [{ alias, columns: [column] }] }
    }
    const table =
      common && this.#chance(0.5)
        ? common
        : this.#pick(Object.entries(tables).map(([alias, columns]) => ({ alias, columns })))
    const sample =
      table !== common && table.alias !== 'v' && this.#chance(0.05)
        ? ` TABLESAMPLE system (length(${this.#expression(0, outer)}))`
        : ''
    if (sample === '' && this.#chance(0.5)) return this.#called(table.alias, table.columns, 0.4)
    return { text: `${table.alias}${sample}`, visible: [table] }
  }

  /** With an alias, and perhaps names for its columns. */
  #called(text: string, columns: readonly string[], names: number): Item {
    const alias = this.#name()
    const renamed = this.#names(names, columns)
    return {
      text: `${text} AS ${alias}${renamed.list}`,
      visible: [{ alias, columns: renamed.columns }],
    }
  }

  #names(chance: number, columns: readonly string[]) {
    if (columns.length === 0 || !this.#chance(chance)) return { list: '', columns }
    const given = this.#several(this.#upTo(columns.length)).map(() => this.#name())
    return { list: `(${given.join(', ')})`, columns: [...given, ...columns.slice(given.length)] }
  }

  #join(depth: number, outer: Levels, before: readonly Item[], common: Visible | null): Item {
    const left = this.#item(depth - 1, outer, before, common)
    const right = this.#item(depth - 1, outer, [...before, left], common)
    const visible = [...left.visible, ...right.visible]
    const both = left.visible
      .flatMap(({ columns }) => columns)
      .filter((name) => right.visible.some(({ columns }) => columns.includes(name)))
    const roll = this.#random()
    const on = ` ON ${this.#condition(depth - 1, [visible, ...outer])}`
    const name = this.#name()
    const using = this.#chance(0.3) ? ` AS ${name}` : ''
    const text =
      roll < 0.3
        ? `${left.text} NATURAL JOIN ${right.text}`
        : roll < 0.6 && both.length > 0
          ? `${left.text} LEFT JOIN ${right.text} USING (${this.#pick(both)})${using}`
          : `${left.text} JOIN ${right.text}${on}`
    if (!this.#chance(0.4)) return { text, visible }
    const columns = [...new Set(visible.flatMap((one) => one.columns))]
    return this.#called(`(${text})`, columns, 0.6)
  }

  #result(depth: number, levels: Levels): Made {
    const roll = this.#random()
    const [own = []] = levels
    if (roll < 0.15) return { text: '*', columns: own.flatMap(({ columns }) => columns) }
    if (roll < 0.25 && own.length > 0) {
      const { alias, columns } = this.#pick(own)
      return { text: `${alias}.*`, columns }
    }
    const text = this.#expression(depth, levels)
    const name = this.#name()
    if (roll < 0.6) return { text: `${text} AS ${name}`, columns: [name] }
    return { text, columns: [/(\w+)$/.exec(text)?.[1] ?? name] }
  }

  #expression(depth: number, levels: Levels): string {
    const roll = this.#random()
    if (depth > 0 && roll < 0.25) {
      const { text } = this.#select(depth - 1, levels, 1)
      return `(SELECT max(z::text) FROM (${text}) z)`
    }
    if (roll < 0.3) return `'1'::${this.#pick(['name', 'text'])}::text`
    if (roll < 0.35) return `coalesce('1')::${this.#pick(['name', 'text'])}`
    const level = this.#pick([levels[0] ?? [], levels[0] ?? [], ...levels])
    if (level.length === 0 || roll < 0.4) return this.#name()
    const { alias, columns } = this.#pick(level)
    const column = columns.length === 0 || this.#chance(0.1) ? this.#name() : this.#pick(columns)
    if (roll < 0.45) return `(${alias}).${column}`
    if (roll < 0.5) return `${alias}::text`
    return roll < 0.75 ? `${alias}.${column}` : column
  }

  #condition(depth: number, levels: Levels): string {
    return `${this.#expression(depth, levels)}::text = '1'`
  }

  #sorted(depth: number, levels: Levels, results: readonly string[]): string {
    if (results.length > 0 && this.#chance(0.3)) return this.#pick(results)
    // Within an expression, the name of a result is that of a column further out.
    const [, ...outer] = levels
    const text = this.#chance(0.3) ? this.#expression(0, outer) : this.#expression(depth, levels)
    return `${text}::text`
  }

  #name(): string {
    return this.#pick(names)
  }

  #several(count: number): readonly number[] {
    return Array.from({ length: count }, (_, i) => i)
  }

  #pick<Choice>(list: readonly Choice[]): Choice {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most)
  }

  #chance(of: number): boolean {
    return this.#random() < of
  }
}
