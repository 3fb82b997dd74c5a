import { Option, type Command } from 'commander'
import { z } from 'zod'
import { UsageError } from '../../errors.ts'

/** Options that narrow a search, by the API's parameter that each becomes. */
const filters = {
  q: 'words to look for',
  subject: 'who acted',
  resource: 'on which resource',
  action: 'the id or the name of an action',
  approval: 'the id of an approval',
  type: 'an event type, such as approval.broken_glass',
  effect: 'what it does there',
  decision: 'what was decided',
  enforced: 'false: what would have been denied or held, and ran (mode: observe)',
  reason: 'a reason code',
  rule: 'a rule that decided',
  result: 'what the upstream did',
  dataset: 'a data set that it touches',
  class: 'a class of the data that it touches, such as pii',
  model: 'the model that answered',
  trace: 'a W3C trace id: one run of an agent',
  digest: 'SHA-256 of what was decided about',
  policy: 'SHA-256 of the policies that decided',
  from: 'at or after this time (ISO 8601)',
  to: 'before this time (ISO 8601)',
} as const

/** The options that take one of a few values. */
const choices: Partial<Record<keyof typeof filters, readonly string[]>> = {
  effect: ['read', 'write', 'admin', 'unknown'],
  decision: ['allow', 'deny', 'hold'],
  enforced: ['true', 'false'],
  result: ['succeeded', 'failed', 'unknown'],
}

export type Filters = Partial<Record<keyof typeof filters, string>>

export function addFilters(command: Command, names: readonly (keyof typeof filters)[]): Command {
  for (const name of names) {
    const option = new Option(`--${name} <${name}>`, filters[name])
    command.addOption(choices[name] ? option.choices(choices[name]) : option)
  }
  return command
}

const time = z.iso.datetime({ offset: true }).or(z.iso.date())

/** Throws a `UsageError` for something that is not a time, and for an empty time span. */
export function checkSpan(span: Pick<Filters, 'from' | 'to'>): void {
  for (const name of ['from', 'to'] as const) {
    if (span[name] === undefined || time.safeParse(span[name]).success) continue
    throw new UsageError(
      `--${name} ${span[name]} is no time.`,
      'Write a day in UTC, or a time, as in 2026-11-01 or 2026-11-01T09:00:00Z.',
    )
  }
  const { from, to } = span
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
    throw new UsageError(`--from ${from} is not before --to ${to}.`, 'Nothing is between them.')
}

export const everyFilter = Object.keys(filters) as (keyof typeof filters)[]

/** The given filters as a query string. */
export function queryOf(options: Filters, more: Readonly<Record<string, string>> = {}): string {
  const given = everyFilter.filter((name) => options[name]).map((name) => [name, options[name]!])
  return new URLSearchParams({ ...Object.fromEntries(given), ...more }).toString()
}
