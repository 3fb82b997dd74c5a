import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { usageFactName, type UsageFact } from '../core/usage-fact.ts'
import { ExpressionCompiler } from './cel/expression.ts'
import { compileRule } from './compile-rule.ts'
import type { Known } from './known.ts'
import {
  readRules,
  report,
  type PolicyDocument,
  type ReadFile,
  type ReadRule,
} from './read-rules.ts'
import { RuleIndex } from './rule-index.ts'
import type { Rule } from './rule.ts'

/** What has to be gathered about an action on a resource before it can be decided. */
export interface Needs {
  /** Whether any rule looks at the JSON body. */
  readonly body: boolean
  /** Whether any rule looks at the columns of a statement. */
  readonly columns: boolean
  /** Facts that rules declare by using them: `impact.rows`. */
  readonly facts: readonly string[]
  /** Those of them that are counts of what the subject did, each once. */
  readonly usage: readonly UsageFact[]
}

/** The rules about one resource, ready to decide. */
export interface ResourceRules {
  /** All of them, by name. */
  readonly all: readonly Rule[]
  /** Hold and deny rules. */
  readonly restricting: RuleIndex
  readonly allowing: RuleIndex
  readonly needs: Needs
}

/** One version of the policies: immutable, and used as a whole for a decision. */
export interface CompiledPolicies {
  /**
   * SHA-256, in hex, over what the rules say; not over comments, formatting, or how they are spread
   * over files.
   */
  readonly hash: string
  /** What it was compiled from, by name of the file. */
  readonly documents: readonly PolicyDocument[]
  /** By name. */
  readonly rules: readonly Rule[]
  /** The names of all resources that there were when it was compiled. */
  readonly resources: readonly string[]
  /** `undefined` for a resource that no rule is about: everything is denied there. */
  rulesFor(resource: string): ResourceRules | undefined
  needs(resource: string): Needs
}

/**
 * Throws `MistakesError` with every mistake in every file. Nothing is compiled in part: rules that
 * are missing could be the ones that deny.
 */
export function compilePolicies(
  documents: readonly PolicyDocument[],
  known: Known,
): CompiledPolicies {
  const steps = compileRead(documents, documents.map(readRules), known)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/**
 * The same from what has been read of each document already, one rule after the other: whoever runs
 * it can do something else in between.
 */
export function* compileRead(
  documents: readonly PolicyDocument[],
  files: readonly ReadFile[],
  known: Known,
): Generator<void, CompiledPolicies> {
  const inOrderOfFiles = documents
    .map((document, index) => ({ document, file: files[index]! }))
    .toSorted((a, b) => compareText(a.document.file, b.document.file))
  const sorted = inOrderOfFiles.map(({ document }) => document)
  const read = inOrderOfFiles.flatMap(({ file }) => file.rules)
  reportDuplicates(read)
  const expressions = new ExpressionCompiler()
  const compiled: (Rule | null)[] = []
  for (const rule of read) {
    compiled.push(compileRule(rule, known, expressions))
    yield
  }
  const rules = compiled
    .filter((rule) => rule !== null)
    .toSorted((a, b) => compareText(a.name, b.name))
  const mistakes = [...files.flatMap((file) => file.mistakes), ...sameNames(sorted)]
  if (mistakes.length > 0) throw new MistakesError(inOrder(mistakes))
  const byResource = indexByResource(rules)
  return {
    hash: yield* hashOf(read),
    documents: sorted,
    rules,
    resources: known.resources.map(({ name }) => name),
    rulesFor: (resource) => byResource.get(resource),
    needs: (resource) => byResource.get(resource)?.needs ?? noNeeds,
  }
}

const noNeeds: Needs = { body: false, columns: false, facts: [], usage: [] }

function reportDuplicates(read: readonly ReadRule[]): void {
  const first = new Map<string, ReadRule>()
  for (const rule of read) {
    const { name } = rule.keys
    if (name === undefined) continue
    const other = first.get(name)
    if (other === undefined) {
      first.set(name, rule)
    } else {
      const { line } = other.yaml.place(other.path)
      const message = `There is another rule "${name}", at ${other.yaml.file}:${line}.`
      report(rule, ['name'], message, 'Give one of them another name.')
    }
  }
}

/**
 * People see a change of the policies file by file: of two with one name they would see one.
 * Closed.
 */
function sameNames(sorted: readonly PolicyDocument[]): Mistake[] {
  const again = sorted.filter(({ file }, index) => file === sorted[index - 1]?.file)
  const remedy = 'Give one of them another name.'
  return again.map(({ file }) => ({ file, message: 'There is another file of this name.', remedy }))
}

function indexByResource(rules: readonly Rule[]): ReadonlyMap<string, ResourceRules> {
  const names = new Set(rules.flatMap(({ resources }) => resources))
  return new Map(
    [...names].map((name) => [
      name,
      resourceRules(rules.filter(({ resources }) => resources.includes(name))),
    ]),
  )
}

function resourceRules(all: readonly Rule[]): ResourceRules {
  const paths = new Set(all.flatMap(({ when }) => [...(when?.reads ?? [])]))
  const usage = all.flatMap(({ when }) => when?.usage ?? [])
  const reads = (key: string) =>
    paths.has(`action.${key}`) ||
    all.some(({ conditions }) => conditions.some((condition) => condition.key === `what.${key}`))
  return {
    all,
    restricting: new RuleIndex(all.filter(({ then }) => then !== 'allow')),
    allowing: new RuleIndex(all.filter(({ then }) => then === 'allow')),
    needs: {
      body: reads('http.json'),
      columns: reads('sql.columns'),
      facts: [...paths].filter((path) => !path.startsWith('action.')).toSorted(),
      usage: [...new Map(usage.map((fact) => [usageFactName(fact), fact])).values()],
    },
  }
}

function* hashOf(read: readonly ReadRule[]): Generator<void, string> {
  const sources = read
    .map(({ source }) => source)
    .filter((source) => source !== undefined)
    .toSorted((a, b) => compareText(a.name, b.name))
  // The canonical JSON of all of them (RFC 8785), piece by piece.
  const hash = createHash('sha256').update('[')
  for (const [index, source] of sources.entries()) {
    hash.update(index === 0 ? '' : ',').update(canonicalize(source)!)
    yield
  }
  return hash.update(']').digest('hex')
}

function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.toSorted(
    (a, b) =>
      compareText(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
