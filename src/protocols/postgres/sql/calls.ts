import type { FuncCall, TypeName } from 'libpg-query'
import type { Findings } from './findings.ts'
import { isHarmless } from './harmless-functions.ts'
import { effectOf } from './known-effects.ts'
import { lasting, partsOf, qualified, schemasOf } from './names.ts'
import { constant, texts, typeNames } from './nodes.ts'
import { isHarmlessSetting } from './settings.ts'
import type { SqlContext, Standing } from './statement.ts'
import type { Walk } from './walk.ts'

/** A schema that has an object of the name in question. */
interface Candidate {
  readonly schema: string
  readonly standing: Exclude<Standing, 'none'>
}

/**
 * Adds a call. Which overload is meant depends on the types of the arguments, so every function of
 * that name in any schema of the path counts: a `lower` in `public` makes every call of `lower`
 * suspicious. `alone`: the call has one argument, and may be a cast.
 */
export function callFunction(
  names: readonly string[],
  { context, found }: Walk,
  alone = false,
): void {
  const { schema, name } = split(names)
  const standing = (one: string): Standing => {
    const known = context.catalogue?.routine(one, name) ?? 'none'
    return known === 'none' && one === 'pg_catalog' && isHarmless(name) ? 'harmless' : known
  }
  let candidates = candidatesOf(schema, name, standing, context)
  // `int4(x)` may be a cast in the form of a call, even where a function of that name exists
  // (parse_func.c, func_get_detail).
  if (alone || candidates.length === 0) {
    const types = candidatesOf(schema, name, typeStanding(name, context), context)
    const isNew = (one: Candidate) => candidates.length === 0 || one.standing === 'unproven'
    candidates = [...candidates, ...types.filter(isNew)]
  }
  // Closed: an unknown function may have been created since the catalogue was read.
  if (candidates.length === 0) candidates = [{ schema: schema ?? 'public', standing: 'unproven' }]
  for (const { schema, standing } of candidates) {
    found.add('functions', qualified(schema, name))
    if (standing === 'unproven') callUnproven(schema, name, found)
  }
  if (context.catalogue === null && schema !== 'pg_catalog') noCatalogue(found)
}

/**
 * Adds `x.name` where `x` has no such column: PostgreSQL then calls the function of that name with
 * `x`, or casts `x` to the type of that name.
 */
export function callProjection(name: string, walk: Walk): void {
  const { catalogue } = walk.context
  if (catalogue === null) return noCatalogue(walk.found)
  // A cast can have this form too (parse_func.c, func_get_detail).
  const calls = (schema: string): boolean =>
    catalogue.routine(schema, name) !== 'none' || catalogue.type(schema, name) === 'unproven'
  if (schemasOf(walk.context).some(calls)) callFunction([name], walk, true)
}

/**
 * Adds the use of an operator. Those that came with the server are harmless, but one of the same
 * name elsewhere in the path may be meant instead.
 */
export function callOperator(names: readonly string[], { context, found }: Walk): void {
  const { schema, name } = split(names)
  if (name === '') return
  const standing = (one: string): Standing => {
    const known = context.catalogue?.operator(one, name) ?? 'none'
    return known === 'none' && one === 'pg_catalog' ? 'harmless' : known
  }
  const candidates = candidatesOf(schema, name, standing, context)
  const unproven = candidates.filter((one) => one.standing === 'unproven')
  for (const { schema } of unproven) runUnproven(schema, name, found)
  if (candidates.length === 0) runUnproven(schema ?? 'public', name, found)
  if (context.catalogue === null && schema !== 'pg_catalog') noCatalogue(found)
}

/** Adds a cast, which runs the input function and the checks of its type. */
export function castTo(type: TypeName, { context, found }: Walk): void {
  const { schema, name } = split(typeNames(type))
  if (name === '') return
  const ofServer = schema === 'pg_catalog' && context.catalogue?.type(schema, name) !== 'unproven'
  if (ofServer) return
  if (schema === undefined && context.temporary.has(name)) {
    runUnproven('pg_temp', name, found)
    return
  }
  const candidates = candidatesOf(schema, name, typeStanding(name, context), context)
  for (const { schema, standing } of lasting(candidates))
    if (standing === 'unproven') runUnproven(schema, name, found)
  if (candidates.length === 0) runUnproven(schema ?? 'public', name, found)
  if (context.catalogue === null) noCatalogue(found)
}

/**
 * Objects with OIDs from here on did not come with the server (PostgreSQL documentation, "OID
 * Assignment").
 */
const firstOfDatabase = 16_384

/** Whether a type did not come with the server. */
export const isOfDatabase = (oid: number): boolean => oid >= firstOfDatabase

/**
 * Adds the type of a parameter. A value that the client sends goes through the input function and
 * the checks of its type, although the text does not name it.
 */
export function castToParameter(oid: number, { context, found }: Walk): void {
  if (!isOfDatabase(oid)) return
  const type = context.catalogue?.typeOf(oid)
  if (type && (type.harmless || context.harmless.has(type.name))) return
  const [schema = '', name = ''] = type ? partsOf(type.name) : ['pg_temp', String(oid)]
  runUnproven(schema, name, found)
}

/**
 * Reads `set_config(name, value, is_local)`, which is a SET in the form of a call. Returns whether
 * the call has been dealt with completely.
 */
export function setByFunction({ funcname, args }: FuncCall, { context, found }: Walk): boolean {
  const { schema, name } = split(texts(funcname))
  if (name !== 'set_config' || (schema ?? 'pg_catalog') !== 'pg_catalog') return false
  const [setting, value, local] = (args ?? []).map(constant)
  const known = setting?.toLowerCase() ?? null
  const values = known !== null && value !== undefined && value !== null ? [value] : null
  const harmless = known !== null && isHarmlessSetting(known, values ?? [])
  found.session.push({
    kind: 'set',
    name: known,
    values,
    local: local === 'true',
    harmless,
  })
  if (known === null) found.hide('Which setting it changes is computed.', 'settings')
  else found.add('settings', known)
  // A computed argument has to be read as well, and another function of that name may be meant.
  const own = schemasOf(context).some(
    (one) => one !== 'pg_catalog' && (context.catalogue?.routine(one, name) ?? 'none') !== 'none',
  )
  const sure = schema === 'pg_catalog' || (context.catalogue !== null && !own)
  if (!sure || known === null) return false
  found.add('functions', qualified('pg_catalog', name))
  if (harmless) return true
  found.add('unproven', qualified('pg_catalog', name))
  found.add('verb', 'set', `set ${known}`)
  found.raise('admin')
  found.cannotUndo(`it changes ${known}`)
  return true
}

/** Adds an unproven operator or type, which run functions that are not known. */
function runUnproven(schema: string, name: string, found: Findings): void {
  callUnproven(schema, name, found)
  found.hide(`Which functions ${qualified(schema, name)} runs is not known.`, 'functions')
}

function callUnproven(schema: string, name: string, found: Findings): void {
  const full = qualified(schema, name)
  const { effect, verb, hides } = effectOf(schema, name)
  found.add('unproven', full)
  found.raise(effect)
  found.cannotUndo(`it calls ${full}, and nobody knows whether that can be undone`)
  if (verb !== null) found.add('verb', verb)
  if (!hides) return
  found.hide(`What ${full} does is not known.`, 'reached')
  found.clouds()
}

function noCatalogue(found: Findings): void {
  const why = 'The catalogue is not known, and a name may mean something else there.'
  found.hide(why, 'functions', 'unproven', 'reached')
  found.raise('unknown')
  found.cannotUndo(why)
}

function typeStanding(name: string, context: SqlContext): (schema: string) => Standing {
  return (schema) => context.catalogue?.type(schema, name) ?? 'none'
}

function candidatesOf(
  schema: string | undefined,
  name: string,
  standing: (schema: string) => Standing,
  context: SqlContext,
): readonly Candidate[] {
  const schemas = schema === undefined ? schemasOf(context) : [schema]
  return schemas.flatMap((one) => {
    const found = standing(one)
    if (found === 'none') return []
    const declared = context.harmless.has(qualified(one, name))
    return [{ schema: one, standing: declared ? 'harmless' : found }]
  })
}

function split(names: readonly string[]): { schema: string | undefined; name: string } {
  return { schema: names.at(-2), name: names.at(-1) ?? '' }
}
