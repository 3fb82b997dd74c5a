import { modeOf } from '../rule.ts'
import type { RuleSource } from '../schema.ts'
import { actingFor } from './acting-for.ts'
import { args } from './args.ts'
import { columns } from './columns.ts'
import type { Condition, Mode } from './condition.ts'
import { functions } from './functions.ts'
import { group } from './group.ts'
import { json } from './json.ts'
import { kind } from './kind.ts'
import { method } from './method.ts'
import { operation } from './operation.ts'
import { owner } from './owner.ts'
import { party } from './party.ts'
import { path } from './path.ts'
import { query } from './query.ts'
import { tables } from './tables.ts'
import { tool } from './tool.ts'
import { verb } from './verb.ts'

/** The conditions of `who`, cheap ones first. */
export function whoConditions(who: RuleSource['who'], mode: Mode): readonly Condition[] {
  if (!who) return []
  return present([
    who.kind && kind(who.kind),
    who.group && group(who.group),
    (who.subject ?? who.issuer) && party(who, mode),
    who.owner && owner(who.owner),
    who.acting_for && actingFor(who.acting_for),
  ])
}

/** The conditions of `what`, cheap ones first. */
export function whatConditions(
  what: RuleSource['what'],
  then: RuleSource['then'],
): readonly Condition[] {
  const mode = modeOf(then)
  const { http, sql, mcp, admin } = what ?? {}
  return present([
    http?.method && method(http.method, mode),
    http?.path && path(http.path, mode),
    http?.query && query(http.query, mode),
    http?.json && json(http.json, mode),
    sql?.verb && verb(sql.verb, then),
    sql?.tables && tables(sql.tables, mode),
    sql?.columns && columns(sql.columns, mode),
    sql?.functions && functions(sql.functions, mode),
    // What has an effect that nobody knows is allowed by its name alone.
    sql && !sql.functions && mode === 'everything' ? functions([], mode) : undefined,
    mcp?.tool && tool(mcp.tool, mode),
    mcp?.args && args(mcp.args, mode),
    admin?.operation && operation(admin.operation, mode),
  ])
}

function present(conditions: readonly (Condition | undefined)[]): readonly Condition[] {
  return conditions.filter((condition) => condition !== undefined)
}
