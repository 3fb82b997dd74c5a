import { z } from 'zod'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { checkShape } from '../core/shape.ts'
import { readYaml, type Place, type YamlFile } from '../core/yaml.ts'
import { ruleSchema, type RuleSource } from './schema.ts'

/** One file of policies or of tests. */
export interface PolicyDocument {
  /** As it is shown in mistakes: the folder, as it was given, and the name. */
  readonly file: string
  readonly text: string
}

type KeyPath = readonly (string | number)[]

/** One rule of a file, with its place. */
export interface ReadRule {
  readonly yaml: YamlFile
  readonly path: KeyPath
  /**
   * The keys that are valid: with a mistake in one key, the others are still checked, so that all
   * mistakes come at once.
   */
  readonly keys: Partial<RuleSource>
  /** The names of all keys, valid or not. */
  readonly written: readonly string[]
  /** The rule as a whole; `undefined` with a mistake in any key. */
  readonly source: RuleSource | undefined
}

/** The rules of a file, and what is wrong with their form. */
export interface ReadFile {
  readonly rules: readonly ReadRule[]
  /** Checks that come later add theirs. */
  readonly mistakes: Mistake[]
}

const file = z.object({ rules: z.array(z.unknown()).describe('the rules of this file') })
const record = z.record(z.string(), z.unknown())

export function readRules(document: PolicyDocument): ReadFile {
  const yaml = parse(document)
  if (yaml instanceof MistakesError) return { rules: [], mistakes: [...yaml.mistakes] }
  checkShape(file.strict(), yaml)
  const { rules } = file.safeParse(yaml.value).data ?? { rules: [] }
  return {
    mistakes: yaml.mistakes,
    rules: rules.map((value, index) => {
      const path = ['rules', index]
      const source = checkShape(ruleSchema, yaml, path)
      const raw = record.safeParse(value).data ?? {}
      return { yaml, path, keys: source ?? validKeys(raw), written: Object.keys(raw), source }
    }),
  }
}

/** Adds a mistake at a key of a rule, or at the place that is given instead. */
export function report(
  { yaml, path }: ReadRule,
  where: KeyPath | Place,
  message: string,
  remedy?: string,
): void {
  const place = 'line' in where ? where : yaml.place([...path, ...where])
  yaml.mistakes.push({ file: yaml.file, ...place, message, ...(remedy && { remedy }) })
}

function parse({ file, text }: PolicyDocument): YamlFile | MistakesError {
  try {
    return readYaml(file, text)
  } catch (error) {
    if (error instanceof MistakesError) return error
    throw error
  }
}

function validKeys(raw: Readonly<Record<string, unknown>>): Partial<RuleSource> {
  const valid = Object.entries(ruleSchema.shape).flatMap(([key, schema]) => {
    const result = schema.safeParse(raw[key])
    return result.success ? [[key, result.data] as const] : []
  })
  return Object.fromEntries(valid) as Partial<RuleSource>
}
