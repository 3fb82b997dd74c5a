import type { FuncCall, Node } from 'libpg-query'
import { meaningsOf } from './names.ts'
import { constant, texts } from './nodes.ts'
import type { Walk } from './walk.ts'

const ofSequences = new Set([
  ...['nextval', 'setval', 'currval', 'pg_sequence_last_value', 'pg_get_sequence_data'],
])

const ofRows = /^jsonb?_populate_record(set|set_valid|_valid)?$/

/**
 * Adds what calls of `pg_catalog` functions are about, where an argument says so: a sequence, a
 * channel, the type of a row.
 */
export function readObjects({ funcname, args = [] }: FuncCall, walk: Walk): void {
  const [name = '', schema = 'pg_catalog'] = texts(funcname).toReversed()
  if (schema !== 'pg_catalog') return
  const [first] = args
  if (ofSequences.has(name)) readSequence(first, walk)
  if (name === 'pg_notify') readChannel(first, walk)
  // Without a cast, nothing in the text names the type of the row, whose columns' checks run.
  if (ofRows.test(name) && !(first && 'TypeCast' in first))
    walk.found.obscure(`Which checks ${name} runs is not known.`)
}

function readChannel(node: Node | undefined, { found }: Walk): void {
  const channel = constant(node)
  if (channel === null) found.hide('Which channel it notifies is computed.', 'channels')
  else found.add('channels', channel)
}

/** `nextval('crm."Odd"')`, with or without a cast to `regclass`. */
function readSequence(node: Node | undefined, { context, found }: Walk): void {
  const names = identifiers(constant(node && 'TypeCast' in node ? node.TypeCast.arg : node) ?? '')
  const [name, schema, ...more] = names.toReversed()
  if (name === undefined || more.length > 0)
    return found.hide('Which sequence it is about is computed.', 'reached')
  for (const meaning of meaningsOf(schema, name, context)) {
    found.add('reached', meaning.name)
    if (meaning.kind === 'missing') found.hide(`The catalogue knows no ${meaning.name}.`, 'reached')
  }
}

const identifier = /^(?:"((?:[^"]|"")+)"|([a-z_][a-z_0-9$]*))$/

/**
 * The parts of a qualified name in a string, as the server splits it; empty for anything but plain
 * identifiers (regproc.c, stringToQualifiedNameList).
 */
function identifiers(text: string): readonly string[] {
  const parts = (text.match(/"(?:[^"]|"")*"|[^".]+|\./g) ?? []).filter((part) => part !== '.')
  const names = parts.map((part) => identifier.exec(part.trim().replace(/^[^"].*/s, lowered)))
  return names.every((match) => match !== null)
    ? names.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!)
    : []
}

/** Like the server, lower-cases ASCII only. */
function lowered(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
