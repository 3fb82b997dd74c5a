import type { Command } from 'commander'

/** Options that narrow what is searched, by the parameter of the API that they become. */
const filters = {
  q: 'words to look for',
  subject: 'who acted',
  resource: 'on which resource',
  action: 'the id or the name of an action',
  approval: 'the id of an approval',
  type: 'an event type, such as approval.broken_glass',
  effect: 'read, write, admin or unknown',
  decision: 'allow, deny or hold',
  enforced: 'false: what would have been denied or held, and ran (mode: observe)',
  reason: 'a reason code',
  rule: 'a rule that decided',
  result: 'what the upstream did: succeeded, failed or unknown',
  dataset: 'a data set that it touches',
  class: 'a class of the data that it touches, such as pii',
  model: 'the model that answered',
  trace: 'a W3C trace id: one run of an agent',
  digest: 'SHA-256 of what was decided about',
  policy: 'SHA-256 of the policies that decided',
  from: 'at or after this time (ISO 8601)',
  to: 'before this time (ISO 8601)',
} as const

export type Filters = Partial<Record<keyof typeof filters, string>>

export function addFilters(command: Command, names: readonly (keyof typeof filters)[]): Command {
  for (const name of names) command.option(`--${name} <${name}>`, filters[name])
  return command
}

export const everyFilter = Object.keys(filters) as (keyof typeof filters)[]

/** The filters that were given, as a query. */
export function queryOf(options: Filters, more: Readonly<Record<string, string>> = {}): string {
  const given = everyFilter.filter((name) => options[name]).map((name) => [name, options[name]!])
  return new URLSearchParams({ ...Object.fromEntries(given), ...more }).toString()
}
