import type { Dimension, Filing } from './conditions/condition.ts'
import type { Input } from './input.ts'
import type { Rule } from './rule.ts'

/** Fewer rules than this are tested one by one faster than they are looked up. */
const worthIndexing = 8

/**
 * Finds the rules that may match an action without looking at the others, so that deciding does not
 * slow down with their number. Each rule is filed once: under the one of its conditions that it
 * shares with the fewest others; and what is filed together is filed again by another condition. It
 * only ever leaves out rules that cannot match; the rules that it returns are tested in full.
 */
export class RuleIndex {
  readonly #unfiled: readonly Rule[]
  readonly #shelves: readonly Shelf[]

  constructor(rules: readonly Rule[], used: ReadonlySet<string> = new Set()) {
    const filed =
      rules.length < worthIndexing ? new Map<Rule, Filing>() : chooseFilings(rules, used)
    this.#unfiled = rules.filter((rule) => !filed.has(rule))
    const byDimension = Map.groupBy(filed, ([, { dimension }]) => dimension.name)
    this.#shelves = [...byDimension.values()].map((entries) => shelve(entries, used))
  }

  /**
   * Adds all candidates. A rule that lists several keys may be found under more than one, and so be
   * added more than once.
   */
  collect(input: Input, into: Rule[]): void {
    for (const rule of this.#unfiled) into.push(rule)
    for (const { dimension, rules, byKey } of this.#shelves) {
      const keys = dimension.keysOf(input)
      if (keys === null) {
        // Closed: without knowing the key, every rule may match.
        for (const rule of rules) into.push(rule)
      } else {
        for (const key of keys) byKey.get(key)?.collect(input, into)
      }
    }
  }
}

/** All rules that are filed in one dimension. */
interface Shelf {
  readonly dimension: Dimension
  readonly rules: readonly Rule[]
  readonly byKey: ReadonlyMap<string, RuleIndex>
}

function shelve(entries: readonly [Rule, Filing][], used: ReadonlySet<string>): Shelf {
  const { dimension } = entries[0]![1]
  const byKey = new Map<string, Rule[]>()
  for (const [rule, { keys }] of entries) {
    for (const key of new Set(keys)) {
      const rules = byKey.get(key)
      if (rules) rules.push(rule)
      else byKey.set(key, [rule])
    }
  }
  const nowUsed = new Set([...used, dimension.name])
  return {
    dimension,
    rules: entries.map(([rule]) => rule),
    byKey: new Map([...byKey].map(([key, rules]) => [key, new RuleIndex(rules, nowUsed)])),
  }
}

/** For each rule its rarest filing, in dimensions that are not used yet. */
function chooseFilings(rules: readonly Rule[], used: ReadonlySet<string>): Map<Rule, Filing> {
  const options = rules.map((rule) => ({
    rule,
    filings: rule.conditions
      .flatMap((condition) => condition.filings)
      .filter(({ dimension }) => !used.has(dimension.name)),
  }))
  const counts = new Map<string, number>()
  for (const { filings } of options) {
    for (const id of filings.flatMap(idsOf)) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const crowd = (filing: Filing): number =>
    Math.max(...idsOf(filing).map((id) => counts.get(id) ?? 0))
  const chosen = new Map<Rule, Filing>()
  for (const { rule, filings } of options) {
    const [best] = filings.toSorted((a, b) => crowd(a) - crowd(b))
    if (best) chosen.set(rule, best)
  }
  return chosen
}

function idsOf({ dimension, keys }: Filing): readonly string[] {
  return keys.map((key) => `${dimension.name} ${key}`)
}
