import { createHash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { Sealed } from '../../gate/attempt.ts'
import type { BindRequest } from './wire/requests.ts'

/** Everything that gives a text its meaning when it runs. */
export interface Meaning {
  readonly text: string
  /** What EXECUTE in it stands for: the texts of prepared statements, by name. */
  readonly prepared: readonly { readonly name: string; readonly text: string }[]
  /** OIDs of the parameters' types, as far as the client gave them. */
  readonly types: readonly number[]
  /** `null` for a text without parameters of the protocol. */
  readonly bound: Pick<BindRequest, 'formats' | 'values' | 'resultFormats'> | null
  readonly database: string
  readonly role: string
  readonly searchPath: readonly string[]
  /** Names of the session's temporary tables, whose contents nobody else sees. */
  readonly temporary: readonly string[]
  /** Settings that the session has changed. */
  readonly settings: Readonly<Record<string, string>>
  /**
   * A digest of what the names in the text stand for (`definitions.ts`); `null` where it has none.
   */
  readonly definitions: string | null
  /** Whether somebody is about to change what the names stand for, and has not finished. */
  readonly contested: boolean
  /** Whether it is a COPY FROM STDIN, whose rows come after the decision. */
  readonly copiesIn: boolean
}

/** A seal, and whether it is likely to hold: what is `contested` has no part in the digest. */
export type SealedNow = Sealed & Pick<Meaning, 'contested'>

/** Binds an action to its whole meaning (docs/postgres.md, "What an approval is bound to"). */
export function seal(meaning: Meaning): SealedNow {
  return {
    digest: digestOf(meaning),
    payload: shown(meaning),
    definitions: meaning.definitions,
    contested: meaning.contested,
  }
}

/**
 * SHA-256, in hex. Each part is hashed as its tag, its length in bytes (64 bits) and its bytes, so
 * that no part can pass for the beginning of the next.
 */
function digestOf(meaning: Meaning): string {
  const { text, prepared, types, bound, database, role, searchPath, temporary, settings } = meaning
  const { definitions } = meaning
  const hash = createHash('sha256')
  const part = (tag: string, bytes: Buffer | string): void => {
    const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    const head = Buffer.alloc(9)
    head.write(tag, 0, 'latin1')
    head.writeBigUInt64BE(BigInt(body.length), 1)
    hash.update(head).update(body)
  }
  part('V', 'sallyport postgres 2')
  part('D', database)
  part('R', role)
  part('S', JSON.stringify(searchPath))
  part('Y', JSON.stringify(temporary))
  part('G', JSON.stringify(settings))
  if (definitions !== null) part('C', definitions)
  part('Q', text)
  for (const { name, text } of prepared) {
    part('N', name)
    part('P', text)
  }
  if (bound) {
    part('T', JSON.stringify(types))
    part('F', JSON.stringify(bound.formats))
    for (const value of bound.values) part(value ? 'B' : '0', value ?? '')
    part('O', JSON.stringify(bound.resultFormats))
  }
  return hash.digest('hex')
}

function shown(meaning: Meaning): JsonObject {
  const { text, prepared, bound, database, role, searchPath, temporary, settings } = meaning
  return {
    text,
    ...(prepared.length > 0 && { prepared: prepared.map((one) => ({ ...one })) }),
    ...(bound && { values: bound.values.map((_, i) => shownValue(meaning, bound, i)) }),
    database,
    role,
    search_path: [...searchPath],
    settings: { ...settings },
    ...(temporary.length > 0 && {
      temporary: [...temporary],
      temporary_note: 'Only this session sees what is in its temporary tables.',
    }),
    ...(meaning.copiesIn && {
      copy_note: 'This opens a COPY. The rows that are copied in come after it, and are not shown.',
    }),
  }
}

/** Binary formats that we can show exactly as the server reads them, by the OID of the type. */
const binary: Readonly<Record<number, (bytes: Buffer) => JsonValue>> = {
  16: (bytes) => bytes.readUInt8() === 1,
  20: (bytes) => bytes.readBigInt64BE().toString(),
  21: (bytes) => bytes.readInt16BE(),
  23: (bytes) => bytes.readInt32BE(),
  25: (bytes) => bytes.toString('utf8'),
  1043: (bytes) => bytes.toString('utf8'),
}

const sizes: Readonly<Record<number, number>> = { 16: 1, 20: 8, 21: 2, 23: 4 }

function shownValue(
  { types }: Meaning,
  { formats, values }: Pick<BindRequest, 'formats' | 'values'>,
  i: number,
): JsonValue {
  const value = values[i]!
  if (value === null) return null
  const format = formats.length === 1 ? formats[0]! : (formats[i] ?? 0)
  const type = types[i] ?? 0
  const readable = isUtf8(value) && !value.includes(0)
  if (format === 0) return readable ? value.toString('utf8') : { hex: value.toString('hex') }
  const decode = value.length === (sizes[type] ?? value.length) ? binary[type] : undefined
  if (decode && (readable || type in sizes)) return decode(value)
  return { hex: value.toString('hex'), type }
}
