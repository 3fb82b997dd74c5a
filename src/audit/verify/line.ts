import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { canonical } from '../canonical.ts'
import { membersOf } from '../export/members.ts'
import { commitment, leafHash, linkHash, type Place } from '../chain.ts'
import type { Finding } from './finding.ts'
import { retentionRecord, type RetentionRecord } from './retention-record.ts'

/** A link that is true to itself. Whether it follows from the one before is not known yet. */
export interface Link {
  readonly place: Place
  readonly prev: string
  readonly hash: string
  readonly event: string
  /** Where it says that it is in the log. */
  readonly index: number
  /** In hex; `null` when its event is missing. */
  readonly leaf: string | null
  /**
   * In milliseconds; `null` where the event was described by another epoch than the one that linked
   * it, or is missing.
   */
  readonly time: number | null
}

export interface LineReading {
  /** `null` when the line is worth nothing. */
  readonly link: Link | null
  readonly erased: boolean
  /** Only the hashes of the event are there. */
  readonly gone: boolean
  /** What it says about events that are kept elsewhere. */
  readonly retention: RetentionRecord | null
  readonly finding: Omit<Finding, 'line'> | null
}

const hex32 = z.string().regex(/^[0-9a-f]{64}$/)
const seq = z.strictObject({
  epoch: z.int().min(1),
  n: z.int().min(1),
  // In no hash as it is written, and so in one way only.
  replica: z.uuid().lowercase(),
})
const exportedLine = z.looseObject({
  id: z.uuid(),
  index: z.int().min(0),
  seq,
  prev: hex32,
  hash: hex32,
  salt: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  personal: hex32.optional(),
  leaf: hex32.optional(),
  type: z.string().optional(),
  // Of another form it explains nothing.
  retention: retentionRecord.optional().catch(undefined),
  time: z.iso.datetime({ precision: 3 }).optional(),
  source: z.strictObject({ epoch: z.int(), replica: z.string() }).optional(),
})

/** Recomputes what one line says about itself: its link, its leaf and its commitment. */
export function readLine(text: string): LineReading {
  const line = parse(text)
  if (!line) return worthless('unreadable', 'This is not a line of an export, byte for byte.')
  const shape = exportedLine.safeParse(line)
  if (!shape.success) return worthless('edited', `This is no event: ${issues(shape.error)}`)

  const { id: event, index, seq: place, prev, hash, time, source, personal } = shape.data
  const { body, secret } = partsOf(text, line)
  const about = { place, event }
  if (Object.keys(line).every((name) => name === 'id' || !isHashed(name))) {
    const message = 'The link is there, and its event is not.'
    const finding = { kind: 'event-missing', message, ...about } as const
    return read({ ...about, index, leaf: null, prev, hash, time: null }, { finding })
  }
  // Nothing but hashes: the event is kept elsewhere, or somebody took it away. Its leaf still has
  // to be the one that was linked.
  const gone = shape.data.leaf !== undefined && Object.keys(line).length === bareKeys
  const leaf = gone ? shape.data.leaf! : leafHash(body)
  if (linkHash(place, prev, leaf) !== hash) {
    return worthless('edited', 'Event, place and hashes do not belong together.', about)
  }

  if (gone) return read({ ...about, index, leaf, prev, hash, time: null }, { gone })

  const own = source?.replica === place.replica && source.epoch === place.epoch
  const link = { ...about, index, leaf, prev, hash, time: own && time ? Date.parse(time) : null }
  const state = personalState(personal, shape.data.salt, secret)
  if (state !== 'edited') {
    const retention = shape.data.type === 'audit.retained' ? shape.data.retention : undefined
    return read(link, { erased: state === 'erased', retention: retention ?? null })
  }
  const message = 'The personal part is not the one that the event committed to.'
  return read(link, { finding: { kind: 'personal-edited', message, ...about } })
}

const erasable = new Set(['attributes', 'details', 'subject'])
const envelope = new Set(['salt', 'index', 'seq', 'prev', 'hash'])

/** What is left when its envelope is taken off is what was hashed. */
function isHashed(name: string): boolean {
  return !erasable.has(name) && !envelope.has(name)
}

/**
 * What was hashed and what was committed to, in canonical form. So is the line, whose members are
 * taken as they are written, as long as they can be told apart.
 */
function partsOf(text: string, line: JsonObject): { body: string; secret: string } {
  const members = membersOf(text)
  const part = (belongs: (name: string) => boolean) =>
    members
      ? `{${members.flatMap((one) => (belongs(one.name) ? [one.text] : [])).join(',')}}`
      : canonical(Object.fromEntries(Object.entries(line).filter(([name]) => belongs(name))))
  return { body: part(isHashed), secret: part((name) => erasable.has(name)) }
}

/** id, index, leaf, seq, prev and hash. */
const bareKeys = 6

function read(link: Link | null, more: Partial<LineReading>): LineReading {
  return { link, erased: false, gone: false, retention: null, finding: null, ...more }
}

function personalState(
  committed: string | undefined,
  salt: string | undefined,
  secret: string,
): 'intact' | 'erased' | 'edited' {
  const empty = secret === '{}'
  if (salt === undefined && empty) return committed === undefined ? 'intact' : 'erased'
  if (salt === undefined || committed === undefined || empty) return 'edited'
  return commitment(Buffer.from(salt, 'hex'), secret) === committed ? 'intact' : 'edited'
}

/** `null` unless the text is the very one that an export has for what it says. */
function parse(text: string): JsonObject | null {
  try {
    const value = parseJson(text) as JsonObject
    return canonical(value) === text ? value : null
  } catch {
    return null
  }
}

function issues({ issues: all }: z.ZodError): string {
  return all.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

function worthless(
  kind: 'unreadable' | 'edited',
  message: string,
  about: { place?: Place; event?: string } = {},
): LineReading {
  return read(null, { finding: { kind, message, ...about } })
}
