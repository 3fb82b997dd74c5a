import { z } from 'zod'
import { configSchema } from '../src/config/schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** Every key of sallyport.yaml with its default and what it means, as a Markdown table. */
export function configurationReference(): string {
  const rows = rowsOf(z.toJSONSchema(configSchema, { io: 'input' }), '')
  return ['| key | default | |', '| --- | --- | --- |', ...rows].join('\n')
}

function rowsOf(schema: JsonSchema, prefix: string): string[] {
  const { properties = {}, items, additionalProperties: named, required = [] } = schema
  const own = Object.entries(properties).flatMap(([key, inner]) =>
    isSchema(inner)
      ? [
          ...row(`${prefix}${key}`, inner, required.includes(key)),
          ...rowsOf(inner, `${prefix}${key}.`),
        ]
      : [],
  )
  const ofItems = isSchema(items) ? rowsOf(items, prefix.replace(/\.$/, '[].')) : []
  const ofNamed = isSchema(named) ? rowsOf(named, `${prefix}<name>.`) : []
  const ofChoices = rowsOfChoices([...(schema.anyOf ?? []), ...(schema.oneOf ?? [])], prefix)
  return [...own, ...ofChoices, ...ofItems, ...ofNamed]
}

/** What all choices have, once; of the rest each says with which protocol it goes. */
function rowsOfChoices(choices: readonly unknown[], prefix: string): string[] {
  const all = choices.filter(isSchema).map((one) => ({ one, rows: rowsOf(one, prefix) }))
  const labelled = all.flatMap(({ one, rows }) => {
    const { protocol } = one.properties ?? {}
    const label = isSchema(protocol) && protocol.const ? `(${String(protocol.const)}) ` : ''
    return rows.map((text) => {
      const shared = all.every((other) => other.rows.includes(text))
      return shared ? text : text.replace(/^(\|[^|]*\|[^|]*\| )/, `$1${label}`)
    })
  })
  return [...new Set(labelled)]
}

function row(key: string, schema: JsonSchema, required: boolean): string[] {
  const { description, default: fallback, enum: values, properties } = schema
  if (!description) return []
  const shown = typeof fallback === 'string' ? fallback : JSON.stringify(fallback)
  const hasDefault = fallback !== undefined && !properties
  const choices = values ? `: ${values.map((value) => `\`${String(value)}\``).join(', ')}` : ''
  return [
    `| \`${key}\` | ${required ? 'required' : hasDefault ? `\`${shown}\`` : ''} | ${description}${choices} |`,
  ]
}

const isSchema = (schema: unknown): schema is JsonSchema =>
  typeof schema === 'object' && schema !== null && !Array.isArray(schema)
