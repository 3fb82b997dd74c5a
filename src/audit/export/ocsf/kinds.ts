import type { EventType } from '../../../core/event.ts'

/** Classes of OCSF 1.8 that our events become. */
export const classes = {
  base: { uid: 0, category: 0, name: 'Base Event' },
  authentication: { uid: 3002, category: 3, name: 'Authentication' },
  entity: { uid: 3004, category: 3, name: 'Entity Management' },
  access: { uid: 3005, category: 3, name: 'User Access Management' },
  http: { uid: 4002, category: 4, name: 'HTTP Activity' },
  api: { uid: 6003, category: 6, name: 'API Activity' },
  datastore: { uid: 6005, category: 6, name: 'Datastore Activity' },
} as const

export type ClassName = keyof typeof classes

export interface Kind {
  readonly class: ClassName
  readonly activity: readonly [id: number, name: string]
  /** In Entity Management, what is managed. */
  readonly entity?: string
  /** Set if it reports a failure. */
  readonly failed?: true
}

const create = [1, 'Create'] as const
const read = [2, 'Read'] as const
const update = [3, 'Update'] as const
const remove = [4, 'Delete'] as const
const activate = [10, 'Activate'] as const
const deactivate = [11, 'Deactivate'] as const

/** The kind of each event; `null` for actions, whose protocol decides. */
const kinds: Readonly<Record<EventType, Kind | null>> = {
  'action.decided': null,
  'action.dispatched': null,
  'action.completed': null,
  'response.delivered': { class: 'api', activity: read },
  'request.refused': { class: 'api', activity: [0, 'Unknown'], failed: true },
  'audit.exported': { class: 'api', activity: read },
  'audit.erased': { class: 'api', activity: remove },
  'audit.retained': { class: 'api', activity: remove },
  'audit.legal_hold_created': { class: 'entity', activity: create, entity: 'legal hold' },
  'audit.legal_hold_released': { class: 'entity', activity: remove, entity: 'legal hold' },
  'approval.requested': { class: 'entity', activity: create, entity: 'approval' },
  'approval.voted': { class: 'entity', activity: update, entity: 'approval' },
  'approval.vote_refused': {
    class: 'entity',
    activity: update,
    entity: 'approval',
    failed: true,
  },
  'approval.broken_glass': { class: 'entity', activity: update, entity: 'approval' },
  'approval.resolved': { class: 'entity', activity: update, entity: 'approval' },
  'approval.granted': { class: 'access', activity: [1, 'Assign Privileges'] },
  'policy.activated': { class: 'entity', activity: activate, entity: 'policy' },
  'policy.loaded': { class: 'entity', activity: read, entity: 'policy' },
  'policy.rejected': { class: 'entity', activity: update, entity: 'policy', failed: true },
  'identity.activated': { class: 'entity', activity: activate, entity: 'identity' },
  'identity.login': { class: 'authentication', activity: [1, 'Logon'] },
  'identity.refused': { class: 'authentication', activity: [1, 'Logon'], failed: true },
  'identity.logout': { class: 'authentication', activity: [2, 'Logoff'] },
  'identity.session_revoked': { class: 'authentication', activity: [2, 'Logoff'] },
  'identity.account_disabled': { class: 'access', activity: [2, 'Revoke Privileges'] },
  'identity.account_enabled': { class: 'access', activity: [1, 'Assign Privileges'] },
  'identity.key_created': { class: 'entity', activity: create, entity: 'key' },
  'identity.key_revoked': { class: 'entity', activity: remove, entity: 'key' },
  'identity.linked': { class: 'entity', activity: create, entity: 'chat account' },
  'identity.unlinked': { class: 'entity', activity: remove, entity: 'chat account' },
  'audit.delivery_configured': { class: 'entity', activity: update, entity: 'delivery' },
  'audit.signing_key_used': { class: 'entity', activity: create, entity: 'signing key' },
  'secrets.rotated': { class: 'entity', activity: update, entity: 'secrets' },
  'gateway.started': { class: 'entity', activity: activate, entity: 'gateway' },
  'gateway.stopped': { class: 'entity', activity: deactivate, entity: 'gateway' },
}

/** An unknown event, perhaps of a newer version, becomes an API activity of that name. */
const unknown: Kind = { class: 'api', activity: [99, 'Other'] }

const httpActivities: Readonly<Record<string, Kind['activity']>> = {
  CONNECT: [1, 'Connect'],
  DELETE: [2, 'Delete'],
  GET: [3, 'Get'],
  HEAD: [4, 'Head'],
  OPTIONS: [5, 'Options'],
  POST: [6, 'Post'],
  PUT: [7, 'Put'],
  TRACE: [8, 'Trace'],
  PATCH: [9, 'Patch'],
}

export interface Step {
  readonly type: string
  /** Name of its action, such as `http.request`. */
  readonly action: string | undefined
  readonly method: string | undefined
  readonly effect: string | undefined
}

/** The class and activity of an event. */
export function kindOf({ type, action, method, effect }: Step): Kind {
  const kind = Object.hasOwn(kinds, type) ? kinds[type as EventType] : unknown
  if (kind) return kind
  if (action?.startsWith('http.')) return { class: 'http', activity: httpActivity(method) }
  if (action?.startsWith('sql.')) return { class: 'datastore', activity: sqlActivity(effect) }
  return { class: 'api', activity: effect === 'read' ? read : [0, 'Unknown'] }
}

function httpActivity(method: string | undefined): Kind['activity'] {
  if (method === undefined) return [0, 'Unknown']
  return Object.hasOwn(httpActivities, method) ? httpActivities[method]! : [99, method]
}

function sqlActivity(effect: string | undefined): Kind['activity'] {
  if (effect === 'read') return [4, 'Query']
  if (effect === 'write') return [5, 'Write']
  return effect === 'admin' ? [99, 'Administer'] : [0, 'Unknown']
}
