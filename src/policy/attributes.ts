import { gatewayItself } from '../core/gateway-itself.ts'

/**
 * What rules can look at, by namespace (`action.http.path`), with the CEL type of each attribute. A
 * protocol that cannot compute one puts an `Unknown` in its place.
 */
export const namespaces = {
  http: {
    method: 'string',
    host: 'string',
    /** Below the resource's prefix, byte for byte as it is forwarded. */
    path: 'string',
    query: 'map<string, dyn>',
    headers: 'map<string, dyn>',
    json: 'dyn',
    /** `websocket` for an opening, empty for every other request. */
    upgrade: 'string',
  },
  sql: {
    verb: 'list<string>',
    /**
     * As the server resolves their names: `public.orders`. What they read and what they write
     * together.
     */
    tables: 'list<string>',
    tables_read: 'list<string>',
    tables_written: 'list<string>',
    /** Those that the text itself names: a view, and not what it reads. */
    named: 'list<string>',
    /** Also what nobody named: partitions, parents, tables that a deletion cascades to. */
    reached: 'list<string>',
    /** `public.customers.email` */
    columns: 'list<string>',
    functions: 'list<string>',
    /** Functions, operators and casts that are not known to be harmless. */
    unproven: 'list<string>',
    has_where: 'bool',
    /** Rows at most, or null. */
    limit: 'dyn',
    /** How many statements there are in one text. */
    statements: 'dyn',
    settings: 'list<string>',
    channels: 'list<string>',
    shape: 'string',
    database: 'string',
    /** The name that the client gave: its own claim. */
    user: 'string',
  },
  mcp: { tool: 'string', args: 'dyn' },
  tcp: {},
  admin: { operation: 'string', target: 'string' },
} as const satisfies Record<string, Record<string, string>>

export type Namespace = keyof typeof namespaces

const byProtocol: Record<string, readonly Namespace[]> = {
  http: ['http'],
  postgres: ['sql'],
  mysql: ['sql'],
  mcp: ['mcp'],
  tcp: ['tcp'],
  [gatewayItself]: ['admin'],
}

/** Which attributes the actions of a protocol have. */
export function namespacesOf(protocol: string): readonly Namespace[] {
  return byProtocol[protocol] ?? []
}

/**
 * Which facts about an action a protocol can find out before deciding. They are among the action's
 * attributes then, as `impact`.
 */
export function factsOf(protocol: string): readonly string[] {
  return protocol === 'postgres' ? ['impact.rows', 'impact.exact_rows'] : []
}

/** A resource, as far as policies need to know it. */
export interface KnownResource {
  readonly name: string
  readonly protocol: string
  /** Facts that are gathered for its actions before deciding: `impact.rows`. */
  readonly facts: readonly string[]
}
