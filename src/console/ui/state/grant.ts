import type { JsonValue } from '../../../core/json.ts'
import type { Approval, ScopeOption } from '../api/types.ts'

/** A grant that goes beyond one run, in what it says and what it covers. */
export interface OfferedGrant {
  /** Only in the session that asks, and not beyond its end. */
  readonly session: boolean
  readonly minutes: number
  /** What has to be the same, with its value here; empty means the whole request, byte for byte. */
  readonly same: readonly { readonly name: string; readonly value: string }[]
}

const isGrant = (option: ScopeOption): option is Exclude<ScopeOption, 'once'> => option !== 'once'

function valueAt(attributes: Approval['action']['attributes'], path: string): JsonValue {
  const [protocol, name] = path.split('.') as [string, string]
  const group = attributes[protocol] as Readonly<Record<string, JsonValue>> | undefined
  return group?.[name] ?? null
}

/** What the rules let an approver grant beyond this one run. */
export function offeredGrants({ scope_options, action }: Approval): OfferedGrant[] {
  return scope_options.filter(isGrant).map(({ session = false, minutes, match }) => {
    const same = match.map((name) => {
      const value = valueAt(action.attributes, name)
      return { name, value: typeof value === 'string' ? value : JSON.stringify(value) }
    })
    return { session, minutes, same }
  })
}
