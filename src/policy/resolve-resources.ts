import picomatch from 'picomatch'
import { closest } from '../core/closest.ts'
import { gatewayItself } from '../core/gateway-itself.ts'
import { namespacesOf, type KnownResource, type Namespace } from './attributes.ts'
import type { Known } from './known.ts'
import { report, type ReadRule } from './read-rules.ts'

const theGateway: KnownResource = { name: gatewayItself, protocol: gatewayItself, facts: [] }

/**
 * The resources that a rule is about. A name that nothing has is a mistake: it is a misspelling,
 * and a deny rule that is about nothing protects nothing.
 */
export function resolveResources(
  rule: ReadRule,
  { resources: known, elsewhere = false }: Known,
): readonly KnownResource[] {
  const { on = [], what } = rule.keys
  const found = on.flatMap((glob, index) => {
    const matches = picomatch(glob)
    // A glob over resources does not mean the gateway too.
    const named = glob === gatewayItself ? [theGateway] : known.filter(({ name }) => matches(name))
    const fitting = named.filter((resource) => fits(resource, what))
    if (named.length === 0) {
      if (elsewhere) return []
      report(rule, ['on', index], `There is no resource "${glob}".`, suggestion(glob, known))
    } else if (fitting.length === 0) {
      const kinds = [...new Set(named.flatMap(({ protocol }) => namespacesOf(protocol)))]
      const message = `Actions on "${glob}" are never of the kind ${kindsOf(what).join(', ')}.`
      const remedy =
        kinds.length > 0
          ? `They are of the kind ${kinds.join(', ')}.`
          : 'Its protocol is none that there is: correct that first.'
      report(rule, ['what'], message, remedy)
    }
    return fitting
  })
  return [...new Set(found)]
}

type What = ReadRule['keys']['what']

/** The kinds of actions that `what` speaks of. */
export function kindsOf(what: What): readonly Namespace[] {
  return what ? (Object.keys(what) as Namespace[]) : []
}

function fits({ protocol }: KnownResource, what: What): boolean {
  return kindsOf(what).every((kind) => namespacesOf(protocol).includes(kind))
}

function suggestion(glob: string, known: readonly KnownResource[]): string {
  const names = known.map(({ name }) => name)
  const guess = closest(glob, names)
  return guess ? `Did you mean "${guess}"?` : `The resources are ${names.join(', ')}.`
}
