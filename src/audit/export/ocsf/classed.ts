import type { JsonObject } from '../../../core/json.ts'
import { userOf } from './actor.ts'
import type { Kind } from './kinds.ts'
import { count, object, text, texts, type Recorded } from './recorded.ts'

/** What a class has beyond what all have. What it requires is always there. */
export function classed(event: Recorded, kind: Kind): JsonObject {
  const { resource, replica, rules } = event
  // Who connected to the gateway is not on record; the upstream sees the gateway.
  const endpoints = {
    src_endpoint: { svc_name: 'sallyport', instance_uid: replica },
    ...(resource !== undefined && { dst_endpoint: { svc_name: resource } }),
  }
  switch (kind.class) {
    case 'http':
      return { ...endpoints, ...exchange(event) }
    case 'datastore':
      return { ...endpoints, ...datastore(event) }
    case 'api':
      return { ...endpoints, ...api(event) }
    case 'authentication':
      return { user: userOf(event), service: { name: 'sallyport' } }
    case 'access':
      return { user: userOf(event), ...(rules.length > 0 && { privileges: rules }) }
    case 'entity':
      return { entity: entity(event, kind) }
    case 'base':
      return {}
  }
}

/** As far as it is on record: the method and the path of a request, and the status of an answer. */
function exchange({ action, attributes, outcome }: Recorded): JsonObject {
  const http = object(attributes?.['http'])
  const method = text(http?.['method'])
  const path = text(http?.['path'])
  const code = count(outcome?.['status'])
  const length = count(outcome?.['bytes'])
  return {
    http_request: {
      ...(action && { uid: action.id }),
      ...(method !== undefined && { http_method: method }),
      ...(path !== undefined && { url: { path } }),
    },
    ...(code !== undefined && {
      http_response: { code, ...(length !== undefined && { length }) },
    }),
  }
}

function datastore({ resource, attributes, details, usage }: Recorded): JsonObject {
  const database = text(object(attributes?.['sql'])?.['database'])
  const statement = text(details?.['summary'])
  const tables = texts(usage?.['tables'])
  return {
    database: { type_id: 1, type: 'Relational', name: database ?? resource ?? 'unknown' },
    ...(statement !== undefined && { query_info: { query_string: statement } }),
    // The class has room for one; the others are under `unmapped`.
    ...(tables[0] !== undefined && { table: { name: tables[0] } }),
  }
}

function api({ type, action, resource }: Recorded): JsonObject {
  return {
    api: {
      operation: action?.name ?? type,
      service: { name: 'sallyport' },
      ...(action && { request: { uid: action.id } }),
    },
    ...(resource !== undefined && { resources: [{ name: resource }] }),
  }
}

function entity(event: Recorded, { entity: type = 'unknown' }: Kind): JsonObject {
  const { approval, policy, details, replica } = event
  const uids: Readonly<Record<string, string | undefined>> = {
    approval,
    policy,
    key: text(details?.['key']),
    'signing key': text(details?.['key']),
    'chat account': text(details?.['member']),
    gateway: replica,
  }
  return { type, name: type, ...(uids[type] !== undefined && { uid: uids[type] }) }
}
