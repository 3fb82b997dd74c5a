import { Ajv2020 } from 'ajv/dist/2020.js'
import { readFileSync } from 'node:fs'

const schema = readFileSync(new URL('ocsf-1.8.0.schema.json', import.meta.url), 'utf8')
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(
  JSON.parse(schema) as object,
)

/** What is wrong with it as an event of OCSF 1.8.0; empty when nothing is. */
export function mistakesOf(event: object): string[] {
  validate(event)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}
