// Writes what is generated from the schemas: JSON Schemas for editors, and the list of keys in the documentation. `npm run schema`; a test
// says when it is due.
import { readFileSync, writeFileSync } from 'node:fs'
import { format } from 'prettier'
import { z } from 'zod'
import { webhookPayload } from '../src/channels/webhook/payload.ts'
import { configSchema } from '../src/config/schema.ts'
import { policyJsonSchema } from '../src/policy/schema.ts'
import { configurationReference } from './configuration-reference.ts'

const at = (path: string) => new URL(`../${path}`, import.meta.url)

/** The generated files: path in the repository, and text. */
export async function generatedFiles(): Promise<{ path: string; text: string }[]> {
  return [
    { path: 'schema/sallyport.json', text: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    { path: 'schema/policy.json', text: `${JSON.stringify(policyJsonSchema(), null, 2)}\n` },
    { path: 'schema/webhook.json', text: `${JSON.stringify(webhookJsonSchema(), null, 2)}\n` },
    { path: 'docs/configuration.md', text: await configurationPage() },
  ]
}

function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    // What an environment variable holds, an editor cannot judge.
    override: ({ jsonSchema }) => {
      const { type, pattern, format: kind, enum: values } = jsonSchema
      if (type !== 'string' || !(pattern ?? kind ?? values)) return
      jsonSchema.anyOf = [{ pattern, format: kind, enum: values }, { pattern: '\\$\\{\\w+\\}' }]
      for (const key of ['pattern', 'format', 'enum'] as const) delete jsonSchema[key]
    },
  })
  return { title: 'sallyport.yaml', ...schema }
}

function webhookJsonSchema(): object {
  return { title: 'What a webhook is sent', ...z.toJSONSchema(webhookPayload) }
}

/** The page as it is, with the list of keys between its two marks made anew. */
async function configurationPage(): Promise<string> {
  const page = readFileSync(at('docs/configuration.md'), 'utf8')
  const between = /(?<=<!-- keys, generated -->\n).*(?=<!-- end -->)/s
  const text = page.replace(between, () => `\n${configurationReference()}\n\n`)
  return format(text, { parser: 'markdown', semi: false, singleQuote: true, printWidth: 100 })
}

if (import.meta.main) {
  for (const { path, text } of await generatedFiles()) writeFileSync(at(path), text)
}
