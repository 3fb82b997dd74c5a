import type { JsonObject } from '../../../core/json.ts'
import { listField, textField } from './form.ts'

/**
 * What the form asks `POST /api/policies/explain`. Throws `SyntaxError` where JSON is wanted and
 * there is none.
 */
export function questionOf(form: FormData): JsonObject {
  const text = (name: string) => textField(form, name)
  const [issuer, owner] = [text('issuer'), text('owner')]
  return {
    subject: {
      issuer,
      subject: text('subject'),
      kind: text('kind'),
      groups: listField(form, 'groups'),
      owner: owner === '' ? null : { issuer, subject: owner },
    },
    action: {
      name: text('name'),
      resource: text('resource'),
      effect: text('effect'),
      attributes: JSON.parse(text('attributes')) as JsonObject,
      reason: text('reason') || null,
    },
  }
}

/** A beginning for each kind of action. */
export const examples: Readonly<Record<string, JsonObject>> = {
  'http.request': { http: { method: 'GET', path: '/v1/orders', query: {} } },
  'sql.statement': { sql: { verb: 'select', tables: ['orders'], columns: ['id'], functions: [] } },
  'mcp.tool_call': { mcp: { tool: 'search', args: {} } },
}
