import type { AuditEvent } from '../api/types.ts'
import { pageHref, runHref } from './route.ts'

interface Fact {
  readonly name: string
  readonly value: string
  readonly href: string | null
}

/** What all events of a story are about. */
export function storyFacts(events: readonly AuditEvent[]): {
  readonly summary: string | null
  readonly facts: readonly Fact[]
} {
  // Votes have subjects of their own.
  const about = events.find(({ type }) => type === 'action.decided') ?? events[0]
  const summaries = events.map(({ details }) => details?.['summary'])
  const summary = summaries.find((one) => typeof one === 'string') ?? null
  const traces = new Set(events.map(({ trace }) => trace).filter((trace) => trace !== undefined))
  const fact = (name: string, value: string | undefined, href: string | null = null): Fact[] =>
    value === undefined ? [] : [{ name, value, href }]
  const subject = about?.subject?.subject
  return {
    summary,
    facts: [
      ...fact('Subject', subject, pageHref('activity', { subject })),
      ...fact('Resource', about?.resource, pageHref('activity', { resource: about?.resource })),
      ...fact(
        'Kind',
        about?.action && `${about.action.name}, effect: ${about.effect ?? 'unknown'}`,
      ),
      ...[...traces].flatMap((trace) => fact('Run', trace, runHref(trace))),
      ...fact('Digest', about?.digest),
      ...fact('Policies', about?.policy, about?.policy ? pageHref('policies') : null),
    ],
  }
}
