import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { Unknown, type Attribute } from '../../core/action.ts'
import { closest } from '../../core/closest.ts'
import {
  usageFactName,
  usageMeasures,
  usageTarget,
  windowHours,
  type UsageFact,
  type UsageMeasure,
} from '../../core/usage-fact.ts'
import type { KnownDataset } from '../known.ts'
import type { Fault } from './fault.ts'

/** The data sets that conditions can count over. */
export interface UsageScope {
  readonly datasets: readonly KnownDataset[]
  /** Others may be named, too: they are known where the rule was written. */
  readonly others: boolean
}

/** `usage` in CEL: counts that were looked up before the decision. */
export class UsageView {
  readonly #facts: Readonly<Record<string, Attribute>>

  constructor(facts: Readonly<Record<string, Attribute>>) {
    this.#facts = facts
  }

  /** Throws when it is not known: closed, the condition fails then. */
  get(measure: UsageMeasure, target: string, window: string | null): number | boolean {
    const hours = window === null ? 0 : windowHours(window)
    if (hours === null) throw new Error(`${window} is no span of time`)
    const name = usageFactName({ measure, ...usageTarget(target), hours })
    const value = this.#facts[name]
    if (value instanceof Unknown) throw new Error(`usage (${name}) is unknown: ${value.unknown}`)
    if (typeof value !== (measure === 'first' ? 'boolean' : 'number'))
      throw new Error(`usage (${name}) is not known here`)
    return value as number | boolean
  }
}

/**
 * Declares what conditions call: `usage.rows(subject, "customers", "24h")`,
 * `usage.first(subject, "customers")`.
 */
export function registerUsage(cel: Environment): void {
  cel.registerType('sallyport.usage', { ctor: UsageView, fields: {} })
  cel.registerVariable('usage', 'sallyport.usage')
  for (const measure of usageMeasures) {
    if (measure === 'first') {
      cel.registerFunction(
        'sallyport.usage.first(sallyport.subject, string): bool',
        (usage: UsageView, _subject: object, target: string) => usage.get('first', target, null),
        { async: false },
      )
    } else {
      cel.registerFunction(
        `sallyport.usage.${measure}(sallyport.subject, string, string): double`,
        (usage: UsageView, _subject: object, target: string, window: string) =>
          usage.get(measure, target, window),
        { async: false },
      )
    }
  }
}

/** Whether a node is a call of `usage.…(…)`. */
export function isUsageCall(node: ASTNode): node is ASTNode & { op: 'rcall' } {
  if (node.op !== 'rcall') return false
  const [, receiver] = node.args
  return receiver.op === 'id' && receiver.args === 'usage'
}

/**
 * The fact that a call asks for, which has to be known before there is an action: so what it names
 * is written out. `scope`: left out where nothing is counted.
 */
export function usageFactOf(
  node: ASTNode & { op: 'rcall' },
  scope: UsageScope | undefined,
): UsageFact | Fault {
  const [name, , [subject, target, window]] = node.args
  const measure = usageMeasures.find((known) => known === name)
  if (!scope) return fault(node, '`usage` is not counted for the gateway itself.')
  if (!measure) {
    return fault(
      node,
      `There is no \`usage.${name}\`.`,
      `There are usage.${usageMeasures.join(', usage.')}.`,
    )
  }
  if (subject?.op !== 'id' || subject.args !== 'subject') {
    const remedy = `Write usage.${measure}(subject, …).`
    return fault(subject ?? node, 'What is counted is what the subject did.', remedy)
  }
  if (!target) return fault(node, `\`usage.${measure}\` needs a data set.`, example(measure))
  const data = textOf(target)
  if (data === null) return fault(target, 'The data set has to be written out.', example(measure))
  const unknown = unknownData(data, scope)
  if (unknown) return { ...unknown, offset: target.start }
  if (measure === 'first') return { measure, ...usageTarget(data), hours: 0 }
  const span = window && textOf(window)
  const hours = span ? windowHours(span) : null
  if (hours === null) {
    const message = 'This is no time to count over: whole hours or days, 31d at most.'
    return fault(window ?? node, message, example(measure))
  }
  return { measure, ...usageTarget(data), hours }
}

function textOf(node: ASTNode): string | null {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : null
}

function unknownData(text: string, { datasets, others }: UsageScope): Omit<Fault, 'offset'> | null {
  const { kind, name } = usageTarget(text)
  const known =
    kind === 'class' ? datasets.flatMap(({ classes }) => classes) : datasets.map((one) => one.name)
  if (others || known.includes(name)) return null
  const guess = closest(name, known)
  const what = kind === 'class' ? 'class' : 'data set'
  const remedy = guess
    ? `Did you mean "${guess}"?`
    : 'Declare it under `datasets` in the configuration.'
  return { message: `There is no ${what} "${name}".`, remedy }
}

function example(measure: UsageMeasure): string {
  const more = measure === 'first' ? '' : ', "24h"'
  return `As in usage.${measure}(subject, "customers"${more}), or "class:pii".`
}

function fault(node: ASTNode, message: string, remedy?: string): Fault {
  return { message, offset: node.start, ...(remedy && { remedy }) }
}
