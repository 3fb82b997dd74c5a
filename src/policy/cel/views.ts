import { Unknown, type Action, type Attribute } from '../../core/action.ts'
import type { Owner, Party, Subject } from '../../core/subject.ts'
import type { JsonObject } from '../../core/json.ts'
import { namespaces, type Namespace } from '../attributes.ts'

/**
 * Reading an attribute that is `Unknown` throws: closed, the condition as a whole fails then,
 * unless its result does not depend on it.
 */
class UnknownAttribute extends Error {
  override readonly name = 'UnknownAttribute'
}

/** What a CEL variable of our own type is made of. */
export type View = new (values: Readonly<Record<string, Attribute>>) => object

/**
 * A class with these fields. CEL tells types apart by their class, and reads fields through its
 * getters.
 */
export function viewOf(group: string, fields: readonly string[]): View {
  class FieldsView {
    readonly values: Readonly<Record<string, Attribute>>
    constructor(values: Readonly<Record<string, Attribute>>) {
      this.values = values
    }
  }
  for (const field of fields) {
    Object.defineProperty(FieldsView.prototype, field, {
      get(this: FieldsView) {
        const value = this.values[field]
        if (value instanceof Unknown) {
          throw new UnknownAttribute(`${group}.${field} is unknown: ${value.unknown}`)
        }
        return value
      },
    })
  }
  return FieldsView
}

export const namespaceViews: Readonly<Record<Namespace, View>> = {
  http: viewOf('action.http', Object.keys(namespaces.http)),
  sql: viewOf('action.sql', Object.keys(namespaces.sql)),
  mcp: viewOf('action.mcp', Object.keys(namespaces.mcp)),
  tcp: viewOf('action.tcp', Object.keys(namespaces.tcp)),
  admin: viewOf('action.admin', Object.keys(namespaces.admin)),
}

/**
 * `action` in CEL. A namespace that the action does not have is absent, and so an error to read.
 */
export class ActionView {
  readonly name: string
  readonly resource: string
  readonly effect: string
  /** What the agent says; empty if it says nothing, so that conditions need no null check. */
  readonly reason: string
  readonly http: object | undefined
  readonly sql: object | undefined
  readonly mcp: object | undefined
  readonly tcp: object | undefined

  constructor({ name, resource, effect, agentReason, attributes }: Action) {
    this.name = name
    this.resource = resource
    this.effect = effect
    this.reason = agentReason ?? ''
    this.http = attributes.http && new namespaceViews.http(attributes.http)
    this.sql = attributes.sql && new namespaceViews.sql(attributes.sql)
    this.mcp = attributes.mcp && new namespaceViews.mcp(attributes.mcp)
    this.tcp = attributes.tcp && new namespaceViews.tcp(attributes.tcp)
  }
}

/** `subject` in CEL. */
export class SubjectView {
  readonly issuer: string
  readonly subject: string
  readonly kind: string
  readonly groups: readonly string[]
  readonly owner: Owner | null
  readonly chain: readonly Party[]
  readonly claims: JsonObject

  constructor({ issuer, subject, kind, groups, owner, chain, claims }: Subject) {
    this.issuer = issuer
    this.subject = subject
    this.kind = kind
    this.groups = groups
    this.owner = owner
    this.chain = chain
    this.claims = claims
  }
}
