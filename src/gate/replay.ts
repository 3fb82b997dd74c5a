import { reviveAction } from '../approvals/revive.ts'
import { readDecisions, type RecordedDecision } from '../audit/decisions.ts'
import { Unknown, type Action, type Attributes } from '../core/action.ts'
import type { Verdict } from '../core/decision.ts'
import { MistakesError } from '../core/errors.ts'
import { usageFactName } from '../core/usage-fact.ts'
import { partyKey } from '../core/subject.ts'
import type { CompiledPolicies } from '../policy/compile.ts'
import { explain } from '../policy/explain.ts'
import type { Explanation } from '../policy/explanation.ts'
import { noFacts } from '../policy/input.ts'
import type { PolicyDocument } from '../policy/read-rules.ts'
import { replay } from '../policy/replay.ts'
import type { Queryable } from '../store/db.ts'
import { readVersion } from './in-force/generations.ts'
import { isLeftOut } from './recorded-attributes.ts'
import { notKeptIn } from './without-question.ts'

/** An action that other policies would have decided differently. */
export interface Difference {
  readonly time: string
  readonly action: string
  readonly resource: string
  readonly subject: string
  readonly summary: string
  readonly before: Recorded
  readonly after: Explanation
}

export interface Recorded {
  readonly verdict: Verdict
  readonly reason: string
  readonly rules: readonly string[]
  readonly policy: string
  /**
   * `null` where the policies of that time can no longer explain it, for instance because they name
   * resources that are gone.
   */
  readonly explanation: Explanation | null
}

/** How many actions one rule would have decided differently in the same way. */
export interface Change {
  readonly resource: string
  readonly from: Verdict
  readonly to: Verdict
  /** `null` where no rule covers them any more. */
  readonly rule: string | null
  readonly actions: number
}

export interface ReplaySummary {
  /** Everything that was decided in the span: the sum of the next five. */
  readonly actions: number
  readonly same: number
  readonly different: number
  /** Actions whose personal part was erased. */
  readonly erased: number
  /** Actions whose decision depends on something that is not on record. */
  readonly unrecorded: number
  /** Events that somebody replaced by something else. `audit verify` says which. */
  readonly unreadable: number
  /** Of those that are the same, how many were decided by other rules. */
  readonly by_other_rules: number
  /** The most frequent first. An action that several rules decide counts under each. */
  readonly changes: readonly Change[]
}

export type ReplayLine =
  | { readonly difference: Difference }
  /** How many actions were looked at so far. */
  | { readonly progress: number }
  | { readonly summary: ReplaySummary }

export interface ReplayDeps {
  readonly store: Queryable
  /** Throws a `MistakesError`. */
  readonly compile: (documents: readonly PolicyDocument[]) => CompiledPolicies
}

/**
 * What other policies would have decided about every action on record in a span of time. Takes
 * constant memory and changes nothing. What cannot be known is counted, and never guessed.
 */
export async function* replayRecorded(
  deps: ReplayDeps,
  policies: CompiledPolicies,
  span: { readonly from: Date; readonly to: Date },
): AsyncGenerator<ReplayLine> {
  const versions = new Versions(deps)
  const changes = new Map<string, Change>()
  const count = {
    same: 0,
    different: 0,
    erased: 0,
    unrecorded: 0,
    unreadable: 0,
    by_other_rules: 0,
  }
  let actions = 0
  for await (const page of readDecisions(deps.store, span)) {
    for (const event of page) {
      actions++
      if (event && !event.personal) {
        count.erased++
        continue
      }
      const replayed = event && judged(event, policies)
      if (!replayed) {
        count.unreadable++
        continue
      }
      const { action, decision, after } = replayed
      if (!decision) count.unrecorded++
      else if (!after) {
        count.same++
        if (decision.rules.join() !== event.rules.join()) count.by_other_rules++
      } else {
        count.different++
        for (const rule of decision.rules.length > 0 ? decision.rules : [null])
          tally(changes, event, { to: decision.verdict, rule })
        yield { difference: await differenceOf(event, action, after, versions) }
      }
    }
    yield { progress: actions }
  }
  const sorted = [...changes.values()].toSorted((a, b) => b.actions - a.actions)
  yield { summary: { actions, ...count, changes: sorted } }
}

/** `null` for an event that no gateway can have written, because somebody changed it. */
function judged(event: RecordedDecision, policies: CompiledPolicies) {
  try {
    const { action, missing } = recordedAction(event, event.personal!, policies)
    const decision = replay(action, missing, policies)
    const differs = decision !== null && decision.verdict !== event.decision
    return { action, decision, after: differs ? explain(action, noFacts, policies) : null }
  } catch {
    // The caller counts it as unreadable.
    return null
  }
}

function recordedAction(
  { action: { id, name }, resource, effect }: RecordedDecision,
  { subject, attributes, details }: NonNullable<RecordedDecision['personal']>,
  policies: CompiledPolicies,
): { action: Action; missing: readonly string[] } {
  const known = attributes as Attributes
  const missing: string[] = []
  // On record only where a rule of that time looked at it.
  if (known['http'] && !('json' in known['http'])) missing.push('action.http.json')
  if (known['sql'] && !known['impact']) missing.push('impact.rows')
  const unasked = notKeptIn(known['http']?.['json'] ?? null)
  if (unasked === null) missing.push('action.http.json')
  else missing.push(...unasked.map((name) => `action.http.json.${name}`))
  // Counted only where a rule of that time asked for it.
  for (const fact of policies.needs(resource).usage) {
    const name = usageFactName(fact)
    if (!(name in (known['usage'] ?? {}))) missing.push(`usage.${name}`)
  }
  const kept = Object.entries(known).map(([protocol, named]) => {
    const values = Object.entries(named).map(([key, value]) => {
      if (!isLeftOut(value)) return [key, value] as const
      const isFact = protocol === 'impact' || protocol === 'usage'
      missing.push(isFact ? `${protocol}.${key}` : `action.${protocol}.${key}`)
      return [key, new Unknown('not on record')] as const
    })
    return [protocol, Object.fromEntries(values)] as const
  })
  const { summary, agent_reason: agentReason = null } = details
  const action = { id, name, subject, resource, effect, summary, agentReason, trace: null }
  return { action: reviveAction({ ...action, attributes: Object.fromEntries(kept) }), missing }
}

function tally(
  changes: Map<string, Change>,
  { resource, decision: from }: RecordedDecision,
  { to, rule }: Pick<Change, 'to' | 'rule'>,
): void {
  const key = JSON.stringify([resource, from, to, rule])
  const { actions = 0 } = changes.get(key) ?? {}
  changes.set(key, { resource, from, to, rule, actions: actions + 1 })
}

async function differenceOf(
  event: RecordedDecision,
  action: Action,
  after: Explanation,
  versions: Versions,
): Promise<Difference> {
  const { time, resource, decision: verdict, reason, rules, policy } = event
  const then = await versions.get(policy)
  const explained = then && explainedBy(then, action)
  const explanation = explained?.decision.verdict === verdict ? explained : null
  return {
    time,
    action: action.id,
    resource,
    subject: partyKey(action.subject),
    summary: action.summary,
    before: { verdict, reason, rules, policy, explanation },
    after,
  }
}

/** `null` for an action that these policies cannot have decided about. */
function explainedBy(then: CompiledPolicies, action: Action): Explanation | null {
  try {
    return explain(action, noFacts, then)
  } catch {
    // What they decided is on record; only the explanation is not to be had.
    return null
  }
}

/** How many versions are kept compiled. */
const mostVersions = 8

/** The policies of the past, compiled as they are met. */
class Versions {
  readonly #deps: ReplayDeps
  readonly #compiled = new Map<string, CompiledPolicies | null>()

  constructor(deps: ReplayDeps) {
    this.#deps = deps
  }

  async get(hash: string): Promise<CompiledPolicies | null> {
    const known = this.#compiled.get(hash)
    if (known !== undefined) return known
    if (this.#compiled.size >= mostVersions) this.#compiled.clear()
    const compiled = this.#compile(await readVersion(this.#deps.store, hash))
    this.#compiled.set(hash, compiled)
    return compiled
  }

  #compile(documents: readonly PolicyDocument[]): CompiledPolicies | null {
    try {
      return this.#deps.compile(documents)
    } catch (error) {
      // An older gateway could read them. What they decided is on record; only the explanation is
      // not to be had.
      if (error instanceof MistakesError) return null
      throw error
    }
  }
}
