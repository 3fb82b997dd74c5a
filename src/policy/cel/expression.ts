import { ParseError, TypeError as CelTypeError, type ParseResult } from '@marcbachmann/cel-js'
import type { UsageFact } from '../../core/usage-fact.ts'
import type { Input } from '../input.ts'
import type { PathParameters } from '../path-parameters.ts'
import { createEnvironment, type Scope, type ScopedEnvironment } from './environment.ts'
import type { Fault } from './fault.ts'
import { checkFunctions } from './functions.ts'
import { checkLiterals } from './literals.ts'
import { checkLoops } from './loops.ts'
import { readsOf } from './reads.ts'

/** Characters of one expression. */
const maxLength = 4096

/** A condition that has been checked. */
export interface Expression {
  readonly source: string
  /** The attributes and facts that it looks at: `action.http.json`, `impact.rows`. */
  readonly reads: ReadonlySet<string>
  /** What it wants counted. Their names are among `reads`, as in `usage.rows customers 24h`. */
  readonly usage: readonly UsageFact[]
  /**
   * Throws when the result depends on something that is missing, unknown or of another type than
   * the expression needs. The caller decides what is closed: not allowed, or denied.
   */
  evaluate(input: Input): boolean
}

/**
 * Compiles conditions. One for each load of the policies, since setting up an environment takes
 * longer than using it.
 */
export class ExpressionCompiler {
  readonly #environments = new Map<string, ScopedEnvironment>()

  /** The expression, or everything that is wrong with it. */
  compile(source: string, scope: Scope): Expression | readonly Fault[] {
    if (source.length > maxLength) {
      return [{ message: `The condition is longer than ${maxLength} characters.`, offset: 0 }]
    }
    const environment = this.#environment(scope)
    const parsed = parse(source, environment)
    if ('offset' in parsed) return [parsed]
    const reads = readsOf(parsed.ast, scope)
    const faults = [
      ...checkFunctions(parsed.ast),
      ...checkLiterals(parsed.ast),
      ...reads.faults,
      ...checkLoops(parsed.ast),
    ]
    if (faults.length > 0) return faults.toSorted((a, b) => a.offset - b.offset)
    const mistyped = checkTypes(parsed)
    if (mistyped) return [mistyped]
    return {
      source,
      reads: reads.paths,
      usage: reads.usage,
      evaluate: evaluator(parsed, environment, reads.parameters ? scope.parameters : null),
    }
  }

  #environment(scope: Scope): ScopedEnvironment {
    const key = JSON.stringify([
      scope.namespaces.toSorted(),
      scope.facts.toSorted(),
      scope.usage !== undefined,
    ])
    const known = this.#environments.get(key)
    if (known) return known
    const environment = createEnvironment(scope)
    this.#environments.set(key, environment)
    return environment
  }
}

function parse(source: string, { cel }: ScopedEnvironment): ParseResult | Fault {
  try {
    return cel.parse(source)
  } catch (error) {
    return faultOf(error)
  }
}

function checkTypes(parsed: ParseResult): Fault | null {
  try {
    const { valid, type, error } = parsed.check()
    if (!valid) return faultOf(error)
    if (type === 'bool') return null
    return {
      message: `The condition is of type ${type}, not bool.`,
      remedy: 'Compare it with something: `… == true`.',
      offset: 0,
    }
  } catch (error) {
    // Of an element of `{}` or `[]` nobody knows the type; where one is compared the library throws
    // this, without a place.
    if (!(error instanceof Error && error.message.startsWith('Operator overload'))) throw error
    return { message: 'This compares something whose type nobody can know.', offset: 0 }
  }
}

/**
 * The library's parse and type errors say where they are; anything else that is thrown is a defect.
 */
function faultOf(error: unknown): Fault {
  if (!(error instanceof ParseError || error instanceof CelTypeError)) throw error
  return { message: `${error.summary}.`, offset: error.range?.start ?? 0 }
}

function evaluator(
  parsed: ParseResult,
  { factViews }: ScopedEnvironment,
  parameters: PathParameters | null,
): (input: Input) => boolean {
  return (input) => {
    const variables: Record<string, object> = {
      action: input.actionView,
      subject: input.subjectView,
    }
    for (const [group, FactView] of factViews) {
      variables[group] = new FactView(input.facts[group] ?? {})
    }
    const answer = (params: object): boolean => {
      const result: unknown = parsed({ ...variables, params })
      // A result of any other type has passed the type check as `dyn`; it is no answer.
      if (typeof result !== 'boolean') throw new TypeError('The condition gave no boolean.')
      return result
    }
    return parameters ? parameters.test(input, answer) : answer({})
  }
}
