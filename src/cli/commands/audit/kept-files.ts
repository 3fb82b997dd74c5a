import { parseJson } from '../../../core/parse-json.ts'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { timeOf } from '../../../audit/event-id.ts'
import { openCheckpoint } from '../../../audit/log/checkpoint.ts'
import { verifyExport } from '../../../audit/verify.ts'
import { manifestFile, type Trust } from '../../../audit/verify/signed-log.ts'
import type { Indexes } from '../../../core/event.ts'
import { Refusal, UsageError } from '../../errors.ts'
import { exportLines } from './export-lines.ts'
import { manifestName } from './manifest-name.ts'

/** A verified export, with the part of the log that it contains. */
export interface KeptFile {
  readonly name: string
  readonly sha256: string
  readonly first: number
  readonly end: number
}

interface Counts {
  events: number
  /** Those of them without a personal part. */
  impersonal: number
}

/** What the files contain of one month. */
export interface Tally extends Counts {
  readonly exports: KeptFile[]
}

/**
 * The exports in a folder, or a single one, compressed or not; each has its manifest beside it.
 * Throws a `UsageError` where there are none.
 */
export async function findExports(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${error.code}).`, 'Name an export, or a folder.')
  })
  if (!found.isDirectory()) return [path]
  const names = await readdir(path)
  // Other formats do not contain what was hashed.
  const exports = names.filter((name) => /(?<!\.ocsf)\.ndjson(\.gz)?$/.test(name)).toSorted()
  if (exports.length > 0) return exports.map((name) => join(path, name))
  throw new UsageError(`There is no export in ${path}.`, 'Name a folder of .ndjson files.')
}

/**
 * A month that has to be found in the files: how many of its events are to leave the database, and
 * where in the log they are, if others of that month are not to.
 */
export interface Wanted {
  readonly month: string
  readonly events: number
  readonly indexes: readonly Indexes[] | null
}

/**
 * Verifies files against their manifests and these keys, in the order of the log, until they have
 * all of the months that are wanted, and counts what they have of each month; events that several
 * have count once. Throws `Refusal` for a file that is not what was recorded: nothing is taken out
 * of a database for it.
 */
export async function countKept(
  paths: readonly string[],
  keys: readonly string[],
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>()
  const found = await Promise.all(
    paths.map(async (path) => ({ path, ...(await manifestOf(path)) })),
  )
  const files = found
    .filter(({ manifest }) => !isOlder(manifest, keys, wanted))
    .toSorted((a, b) => a.manifest.first - b.manifest.first)
  let counted = 0
  for (const { path, manifest } of files) {
    if (wanted.every(({ month, events }) => tallies.get(month)?.events === events)) break
    const months = new Map<string, Counts>()
    await verified(path, tallied(path, months, { from: counted, wanted }), {
      manifest,
      keys,
      older: null,
    })
    const { first, end } = manifest
    const file = { name: path, sha256: await sha256Of(path), first, end }
    counted = Math.max(counted, end)
    for (const [month, { events, impersonal }] of months) {
      const tally = tallies.get(month) ?? { events: 0, impersonal: 0, exports: [] }
      tallies.set(month, tally)
      tally.events += events
      tally.impersonal += impersonal
      tally.exports.push(file)
    }
  }
  return tallies
}

/**
 * Signed before the first of these months began: it has nothing of them, and a folder of years does
 * not have to be read whole.
 */
function isOlder(
  { checkpoint }: Trust['manifest'],
  keys: readonly string[],
  wanted: readonly Wanted[],
): boolean {
  const time = openCheckpoint(checkpoint, keys)?.time?.toISOString().slice(0, 7)
  return time !== undefined && wanted.every(({ month }) => time < month)
}

async function verified(path: string, lines: AsyncIterable<string>, trust: Trust): Promise<void> {
  const report = await verifyExport(lines, trust).catch((cause: NodeJS.ErrnoException) => {
    throw new Refusal(`${path} cannot be read (${cause.code ?? cause.message}).`, {}, { cause })
  })
  if (report.ok && report.signed) return
  throw new Refusal(`${path} is not what was recorded: sallyport audit verify ${path}`)
}

/**
 * Which lines count: those that no file before had, and of a month of which others have left those
 * that have not.
 */
interface Which {
  readonly from: number
  readonly wanted: readonly Wanted[]
}

/** The lines of a file, counted by month on the way. */
async function* tallied(
  path: string,
  months: Map<string, Counts>,
  which: Which,
): AsyncGenerator<string> {
  for await (const line of exportLines(path)) {
    count(line, months, which)
    yield line
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function count(line: string, months: Map<string, Counts>, { from, wanted }: Which): void {
  const event = parsed(line)
  // A line of hashes alone has no event; a record about other months stays in the database.
  if (!event || event.type === undefined || event.type === 'audit.retained') return
  const time = typeof event.id === 'string' ? timeOf(event.id) : null
  const index = Number(event.index)
  if (time === null || index < from) return
  const month = time.toISOString().slice(0, 7)
  const places = wanted.find((one) => one.month === month)?.indexes
  if (places && !places.some(({ first, end }) => first <= index && index < end)) return
  const tally = months.get(month) ?? { events: 0, impersonal: 0 }
  months.set(month, tally)
  tally.events++
  if (event.salt === undefined) tally.impersonal++
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return parseJson(line) as Record<string, unknown> | null
  } catch {
    // The verifier reads the same line, and refuses the file for it.
    return null
  }
}

async function manifestOf(path: string) {
  const name = manifestName(path)
  try {
    return { manifest: manifestFile.parse(parseJson(await readFile(name, 'utf8'))) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const what = code === undefined ? 'is no manifest' : `cannot be read (${code})`
    throw new UsageError(`${name} ${what}.`, 'Export it again, with --out.')
  }
}
