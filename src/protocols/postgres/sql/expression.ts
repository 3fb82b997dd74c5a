import type { A_Expr, A_Indirection, FuncCall, SubLink } from 'libpg-query'
import { callFunction, callOperator, callProjection, castTo, setByFunction } from './calls.ts'
import { readObjects } from './call-objects.ts'
import { readColumn, readColumns } from './column-refs.ts'
import { isStruct, texts, untag, type NodeOf, type Struct, type Tag } from './nodes.ts'
import type { Scope } from './scope.ts'
import type { Walk } from './walk.ts'

type Reader<T extends Tag> = (node: NodeOf<T>, scope: Scope, walk: Walk) => void

/** Readers of nodes with a meaning of their own. Each also reads the node's parts. */
const readers: { readonly [T in Tag]?: Reader<T> } = {
  ColumnRef: readColumns,
  FuncCall: readCall,
  A_Expr: readOperator,
  SubLink: readSubquery,
  A_Indirection: readIndirection,
  TypeName: (type, _scope, walk) => castTo(type, walk),
  // Does not move the cursor, but the cursor's position decides which row is meant.
  CurrentOfExpr: ({ cursor_name: name = '' }, _scope, { found }) => {
    found.session.push({ kind: 'fetch', name, rows: 0 })
  },
  SelectStmt: (select, scope, walk) => {
    walk.readers.query({ SelectStmt: select }, scope, walk)
  },
  // The default may call a sequence, in an UPDATE as well.
  SetToDefault: (_default, _scope, { found }) => found.cannotUndo('it asks for a default'),
  // Not looked at here. Whoever needs the value of a constant asks for it (`constant`), which
  // `watchConstants` notices.
  A_Const: () => undefined,
  SortBy: (sort, scope, walk) => {
    if (sort.useOp) callOperator(texts(sort.useOp), walk)
    readExpression(sort.node, scope, walk)
  },
  CaseExpr: (expression, scope, walk) => {
    if (expression.arg) callOperator(['='], walk)
    readParts({ ...expression }, scope, walk)
  },
}

/** Nodes that mean no more than their parts. Closed: a node in neither list is not understood. */
const plain = new Set<string>([
  ...['A_ArrayExpr', 'A_Indices', 'A_Star', 'BitString', 'BoolExpr', 'Boolean'],
  ...['BooleanTest', 'CaseWhen', 'CoalesceExpr', 'CollateClause', 'Float'],
  ...['GroupingFunc', 'GroupingSet', 'Integer', 'List', 'MergeSupportFunc', 'MinMaxExpr'],
  ...['MultiAssignRef', 'NamedArgExpr', 'NullTest', 'ParamRef', 'ResTarget', 'RowExpr'],
  ...['SQLValueFunction', 'String', 'TypeCast', 'WindowDef', 'XmlExpr'],
  ...['XmlSerialize', 'JsonArgument', 'JsonArrayAgg', 'JsonArrayConstructor', 'JsonBehavior'],
  ...['JsonArrayQueryConstructor', 'JsonFormat', 'JsonFuncExpr', 'JsonIsPredicate', 'JsonKeyValue'],
  ...['JsonObjectAgg', 'JsonObjectConstructor', 'JsonOutput', 'JsonParseExpr', 'JsonReturning'],
  ...['JsonScalarExpr', 'JsonSerializeExpr', 'JsonTableColumn', 'JsonTablePathSpec'],
  ...['JsonValueExpr', 'JsonAggConstructor', 'RangeTableFuncCol'],
])

/** Syntax that an older server takes for a call of whatever function has that name. */
const functionLike: Readonly<Partial<Record<string, string>>> = {
  JSON_EXISTS_OP: 'json_exists',
  JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value',
  JsonArrayAgg: 'json_arrayagg',
  JsonArrayConstructor: 'json_array',
  JsonObjectConstructor: 'json_object',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  MergeSupportFunc: 'merge_action',
}

/** Nodes, other than function calls, that make one value of many rows. */
const gathering = new Set(['JsonArrayAgg', 'JsonObjectAgg', 'JsonArrayQueryConstructor'])
const gatheringFunctions = /(array|string|object|jsonb?|range)_agg|^(xmlagg|percentile_)/

/** Reads an expression, or a list of them, anywhere in a statement. */
export function readExpression(value: unknown, scope: Scope, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const item of value) readExpression(item, scope, walk)
    return
  }
  if (!isStruct(value)) return
  const tagged = untag(value)
  if (!tagged) return readParts(value, scope, walk)
  const [tag, inner] = tagged
  if (gathering.has(tag)) walk.found.gathers = true
  const call = functionLike[typeof inner['op'] === 'string' ? inner['op'] : tag]
  if (call !== undefined) callProjection(call, walk)
  const reader = readers[tag as Tag] as
    ((node: Struct, scope: Scope, walk: Walk) => void) | undefined
  if (reader) reader(inner, scope, walk)
  else if (plain.has(tag)) readParts(inner, scope, walk)
  else walk.found.obscure(`It has a part (${tag}) that is not understood.`)
}

/** Reads the parts of a struct without a meaning of its own. Types in it have no tag. */
function readParts(struct: Struct, scope: Scope, walk: Walk): void {
  for (const [field, part] of Object.entries(struct)) {
    if (typeof part !== 'object' || part === null) continue
    if (field === 'typeName' && isStruct(part)) castTo(part, walk)
    else readExpression(part, scope, walk)
  }
}

function readCall(call: FuncCall, scope: Scope, walk: Walk): void {
  const { funcname, ...parts } = call
  if (!setByFunction(call, walk)) callFunction(texts(funcname), walk, call.args?.length === 1)
  readObjects(call, walk)
  if (gatheringFunctions.test(texts(funcname).at(-1) ?? '')) walk.found.gathers = true
  readParts({ ...parts }, scope, walk)
}

/**
 * The operators that BETWEEN stands for, the one name here that is no operator (parse_expr.c,
 * transformAExprBetween).
 */
const ofBetween: Readonly<Partial<Record<string, readonly string[][]>>> = {
  AEXPR_BETWEEN: [['>='], ['<=']],
  AEXPR_BETWEEN_SYM: [['>='], ['<=']],
  AEXPR_NOT_BETWEEN: [['<'], ['>']],
  AEXPR_NOT_BETWEEN_SYM: [['<'], ['>']],
}

function readOperator({ kind, name, ...parts }: A_Expr, scope: Scope, walk: Walk): void {
  for (const one of ofBetween[kind ?? ''] ?? [texts(name)]) callOperator(one, walk)
  readParts({ ...parts }, scope, walk)
}

function readSubquery(link: SubLink, scope: Scope, walk: Walk): void {
  const { subLinkType, operName, testexpr, subselect } = link
  if (subLinkType === 'ARRAY_SUBLINK') walk.found.gathers = true
  if (testexpr) callOperator(operName ? texts(operName) : ['='], walk)
  readExpression(testexpr, scope, walk)
  readExpression(subselect, scope, walk)
}

/**
 * Reads `(t).column`, a column of a row, and `(f(x)).name`, which is a field or a function call.
 */
function readIndirection({ arg, indirection }: A_Indirection, scope: Scope, walk: Walk): void {
  const [first, ...rest] = indirection ?? []
  const row = arg && 'ColumnRef' in arg ? texts(arg.ColumnRef.fields) : []
  // A column of that name takes precedence over a row, whatever table it is in.
  const isRow = row.length === 1 && !scope.hasColumn(row[0]!)
  const source = isRow ? scope.sourceOf(row[0]!, null) : null
  const column = first && 'String' in first ? (first.String.sval ?? '') : null
  const named = source && column !== null && readColumn(source, column, walk)
  if (!named) readExpression(arg, scope, walk)
  for (const name of texts(named ? rest : indirection)) callProjection(name, walk)
  for (const step of indirection ?? []) if (!('String' in step)) readExpression(step, scope, walk)
}
