import type { Decision, Eligible, Requirement } from '../core/decision.ts'
import type { RuleExplanation } from './explanation.ts'

/** As many rules that nearly matched are suggested, at most. */
const suggestions = 3

/** What would have to be otherwise for the action to run, in sentences. */
export function whatWouldChange(
  { verdict, reason, rules, requirements }: Decision,
  explained: readonly RuleExplanation[],
): readonly string[] {
  switch (verdict) {
    case 'allow':
      return []
    case 'hold':
      return requirements.map(approvalNeeded)
    case 'deny':
      if (reason === 'owner-unknown') {
        return ['The agent needs a known owner before anybody can approve what it does.']
      }
      return rules.length > 0
        ? explained.filter(({ rule }) => rules.includes(rule)).map(whyDenied)
        : nearestAllows(explained)
  }
}

function approvalNeeded({ rule, from, quorum, risk, breakGlass }: Requirement): string {
  const alone = breakGlass ? ` In an emergency ${inWords(breakGlass)} may break the glass.` : ''
  return `Rule ${rule} (risk ${risk}) asks for ${people(quorum)} of ${inWords(from)} to approve.${alone}`
}

function people(count: number): string {
  return count === 1 ? 'one person' : `${count} people`
}

function inWords(from: Eligible): string {
  return 'group' in from ? from.group : from.people.map(({ subject }) => subject).join(', ')
}

function whyDenied({ rule, description, matches, conditions }: RuleExplanation): string {
  const because = description ? ` ${description}` : ''
  if (matches === 'failed') {
    const when = conditions.find(({ key }) => key === 'when')
    return `The condition of rule ${rule} ${when?.found}.${because}`
  }
  const held = conditions.map(({ key, wants }) => `${key}: ${wants}`).join('; ')
  return `Rule ${rule} denies this${held && ` (${held})`}.${because}`
}

function nearestAllows(explained: readonly RuleExplanation[]): readonly string[] {
  const allowing = explained.filter(({ then }) => then === 'allow').slice(0, suggestions)
  if (allowing.length === 0) return ['No rule allows anything here.']
  return allowing.map(({ rule, conditions }) => {
    const missing = conditions
      .filter((condition) => !condition.satisfied)
      .map(({ key, wants, found }) => `${key}: ${wants} (it is: ${found})`)
    return `Rule ${rule} would allow it with ${missing.join('; ')}.`
  })
}
