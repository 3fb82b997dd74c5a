import { z } from 'zod'
import { closest } from './closest.ts'
import type { Mistake } from './errors.ts'
import type { YamlFile } from './yaml.ts'

type Issue = z.core.$ZodIssue
type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * The value of a YAML file, or of its part at `base`, if it fits the schema. Otherwise returns
 * `undefined`, having added each mistake to the file's own. No mistake repeats a value of the file,
 * which may be a secret.
 */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  source: YamlFile,
  base: readonly PropertyKey[] = [],
): z.output<Schema> | undefined {
  const result = schema.safeParse(valueAt(source.value, base))
  if (result.success) return result.data
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  for (const issue of result.error.issues) {
    const known = schemaAt(shape, issue.path)
    const located = { ...issue, path: [...base, ...issue.path] }
    source.mistakes.push(...mistakesOf(located, source, known))
  }
  return undefined
}

/** `schemas`: the schemas that apply at the issue's path. */
function mistakesOf(issue: Issue, source: YamlFile, schemas: readonly JsonSchema[]): Mistake[] {
  const { file } = source
  const what = pathText(issue.path)
  const known = keysOf(schemas)
  const unknown = unknownKeys(issue, source, known)
  if (unknown.length > 0) {
    return unknown.map((key) => ({
      file,
      ...source.keyPlace([...issue.path, key]),
      message: `${what} has no key "${key}".`,
      remedy: meant(key, known),
    }))
  }
  const place = source.place(issue.path)
  const received = typeName(valueAt(source.value, issue.path))
  if (received === 'nothing') {
    const description = issue.path.length > 0 && schemas.at(0)?.description
    const remedy = description ? `Add it: ${description}.` : 'Add it.'
    return [{ file, ...place, message: `${what} is missing.`, remedy }]
  }
  if (issue.code !== 'invalid_type') {
    const remedy = issue.message.replace(/^Invalid (input|option): expected/, 'Write')
    return [{ file, ...place, message: `${what} is not valid.`, remedy }]
  }
  const expected = names[issue.expected] ?? issue.expected
  const remedy =
    issue.expected === 'string' && /number|boolean/.test(received) ? 'Put it in quotes.' : undefined
  const message = `${what} has to be ${expected}, and is ${received}.`
  return [{ file, ...place, message, ...(remedy && { remedy }) }]
}

/** For a value that fits no alternative, the likeliest mistake is a key that no alternative has. */
function unknownKeys(issue: Issue, source: YamlFile, known: readonly string[]): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys
  if (issue.code !== 'invalid_union') return []
  const value = valueAt(source.value, issue.path)
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  const keys = isMapping ? Object.keys(value) : []
  return known.length > 0 ? keys.filter((key) => !known.includes(key)) : []
}

const names: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'empty',
  undefined: 'nothing',
}

function typeName(value: unknown): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return names[type] ?? type
}

function meant(word: string, known: readonly string[]): string {
  const guess = closest(word, known)
  return guess ? `Did you mean "${guess}"?` : `Keys here: ${known.join(', ')}.`
}

/** `resources[0].match`, as people write it. */
function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return text.join('').replace(/^\./, '') || 'The file'
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[step],
    value,
  )
}

/** Every schema that can apply at a path, including each of several alternatives. */
function schemaAt(shape: JsonSchema, path: readonly PropertyKey[]): JsonSchema[] {
  let found = alternatives(shape)
  for (const step of path) {
    const next = found.map(({ properties, items }) =>
      typeof step === 'number' ? items : properties?.[String(step)],
    )
    found = next.flatMap((inner) => (isSchema(inner) ? alternatives(inner) : []))
  }
  return found
}

const isSchema = (schema: unknown): schema is JsonSchema =>
  typeof schema === 'object' && schema !== null && !Array.isArray(schema)

function alternatives(schema: JsonSchema): JsonSchema[] {
  const inner = schema.anyOf ?? schema.oneOf ?? []
  return [schema, ...inner.filter(isSchema).flatMap(alternatives)]
}

const keysOf = (schemas: readonly JsonSchema[]): string[] => [
  ...new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {}))),
]
