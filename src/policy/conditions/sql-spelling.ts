import type { Spelling } from './names.ts'

/** A name without a schema means the schema `public`. `*` alone means every name there is. */
export const relations: Spelling = { forms: inPublic, fits: sameLength }

/**
 * `email` means a column of that name in any table, `customers.email` that of a table in `public`.
 */
export const columns: Spelling = {
  forms(name) {
    const last = parts(name).at(-1) ?? name
    return [...new Set([...inPublic(name), last])]
  },
  fits: sameLength,
}

/** A function without a schema is one of PostgreSQL's own, or in `public`. */
export const functions: Spelling = {
  forms(name) {
    const [schema, ...rest] = parts(name)
    return schema === 'pg_catalog' && rest.length > 0 ? [name, rest.join('.')] : inPublic(name)
  },
  fits: sameLength,
}

/** `alter` in a hold or deny rule also means `alter role`. An allow rule has to say it. */
export const verbs: Spelling = {
  forms(name) {
    const space = name.indexOf(' ')
    return space < 0 ? [name] : [name, name.slice(0, space)]
  },
  fits: () => true,
}

function inPublic(name: string): readonly string[] {
  const [schema, ...rest] = parts(name)
  return schema === 'public' && rest.length > 0 ? [name, rest.join('.')] : [name]
}

/** `order_*` is about tables in `public`, and not about whatever ends so in some other schema. */
function sameLength(pattern: string, form: string): boolean {
  return pattern === '*' || parts(pattern).length === parts(form).length
}

/** A dot within quotes belongs to the name. */
function parts(name: string): readonly string[] {
  return name.match(/"(?:[^"]|"")*"|[^."]+/g) ?? [name]
}
