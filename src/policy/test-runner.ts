import type { Decision } from '../core/decision.ts'
import { gatewayItself } from '../core/gateway-itself.ts'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { checkShape } from '../core/shape.ts'
import { readYaml, type YamlFile } from '../core/yaml.ts'
import { namespaces } from './attributes.ts'
import type { CompiledPolicies } from './compile.ts'
import { explain } from './explain.ts'
import type { Explanation } from './explanation.ts'
import type { PolicyDocument } from './read-rules.ts'
import { actionOf, attributeKinds } from './test-action.ts'
import { testFileSchema, type TestCase, type TestFile } from './test-schema.ts'

/** How one test came out. */
export interface TestResult {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly passed: boolean
  /** What is otherwise than the test says. Empty when it passed. */
  readonly differences: readonly string[]
  readonly explanation: Explanation
}

/**
 * Runs the tests of `*.test.yaml` files. Throws `MistakesError` when one of the files cannot be
 * read as such.
 */
export function runPolicyTests(
  documents: readonly PolicyDocument[],
  policies: CompiledPolicies,
): readonly TestResult[] {
  const mistakes: Mistake[] = []
  const files = documents.flatMap((document) => readTests(document, policies.resources, mistakes))
  if (mistakes.length > 0) throw new MistakesError(mistakes)
  return files.flatMap(({ yaml, content }) =>
    content.tests.map((test, index) => ({
      file: yaml.file,
      line: yaml.place(['tests', index]).line,
      name: test.name,
      ...run(test, content.subjects, policies),
    })),
  )
}

interface ReadTests {
  readonly yaml: YamlFile
  readonly content: TestFile
}

function readTests(
  { file, text }: PolicyDocument,
  resources: readonly string[],
  mistakes: Mistake[],
): readonly ReadTests[] {
  try {
    const yaml = readYaml(file, text)
    const content = checkShape(testFileSchema, yaml)
    if (content) checkNames(content, resources, yaml)
    mistakes.push(...yaml.mistakes)
    return content ? [{ yaml, content }] : []
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    mistakes.push(...error.mistakes)
    return []
  }
}

/** A test of a misspelt resource or attribute would pass as a denial, and be about nothing. */
function checkNames(
  { subjects, tests }: TestFile,
  resources: readonly string[],
  { file, place, mistakes }: YamlFile,
): void {
  for (const [index, test] of tests.entries()) {
    const report = (key: string, message: string, remedy: string) =>
      mistakes.push({ file, ...place(['tests', index, key]), message, remedy })
    if (!Object.hasOwn(subjects, test.subject)) {
      const remedy = `Subjects here: ${Object.keys(subjects).join(', ')}.`
      report('subject', `There is no subject "${test.subject}".`, remedy)
    }
    if (test.on !== gatewayItself && !resources.includes(test.on)) {
      report('on', `There is no resource "${test.on}".`, `Resources: ${resources.join(', ')}.`)
    }
    const named = attributeKinds.flatMap((kind) =>
      Object.keys(test[kind] ?? {}).map((name) => ({ key: kind, path: `${kind}.${name}` })),
    )
    const unknown = test.unknown.map((path) => ({ key: 'unknown', path }))
    for (const { key, path } of [...named, ...unknown]) {
      const remedy = `Attributes: ${paths.join(', ')}.`
      if (!paths.includes(path)) report(key, `There is no attribute "${path}".`, remedy)
    }
  }
}

const paths = attributeKinds.flatMap((kind) =>
  Object.keys(namespaces[kind]).map((name) => `${kind}.${name}`),
)

function run(
  test: TestCase,
  subjects: TestFile['subjects'],
  policies: CompiledPolicies,
): Pick<TestResult, 'passed' | 'differences' | 'explanation'> {
  const action = actionOf(test, subjects[test.subject]!)
  const explanation = explain(action, test.facts, policies)
  const differences = compare(test, explanation.decision)
  return { passed: differences.length === 0, differences, explanation }
}

function compare(test: TestCase, { verdict, reason, rules }: Decision): readonly string[] {
  const expected = test.rules?.toSorted().join(', ')
  const actual = rules.join(', ')
  return [
    verdict !== test.decision && `the decision is ${verdict}, not ${test.decision}`,
    expected !== undefined &&
      expected !== actual &&
      `the rules are ${actual || 'none'}, not ${expected}`,
    test.reason !== undefined &&
      test.reason !== reason &&
      `the reason is ${reason}, not ${test.reason}`,
  ].filter((difference) => difference !== false)
}
