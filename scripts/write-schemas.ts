// Writes the JSON Schemas that editors use, from the zod schemas that the gateway uses. `npm run schema`; a test says when it is due.
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { configSchema } from '../src/config/schema.ts'

/** The generated files: path in the repository, and text. */
export function schemaFiles(): { path: string; text: string }[] {
  const sallyport = {
    title: 'sallyport.yaml',
    ...z.toJSONSchema(configSchema, {
      io: 'input',
      // What an environment variable holds, an editor cannot judge.
      override: ({ jsonSchema }) => {
        const { type, pattern, format, enum: values } = jsonSchema
        if (type !== 'string' || !(pattern ?? format ?? values)) return
        jsonSchema.anyOf = [{ pattern, format, enum: values }, { pattern: '\\$\\{\\w+\\}' }]
        for (const key of ['pattern', 'format', 'enum'] as const) delete jsonSchema[key]
      },
    }),
  }
  return [{ path: 'schema/sallyport.json', text: `${JSON.stringify(sallyport, null, 2)}\n` }]
}

if (import.meta.main) {
  for (const { path, text } of schemaFiles())
    writeFileSync(new URL(`../${path}`, import.meta.url), text)
}
