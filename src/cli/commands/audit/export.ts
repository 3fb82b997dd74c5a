import { Command, Option } from 'commander'
import { createHash, type Hash } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { link, readFile, unlink, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { z } from 'zod'
import { formatNames } from '../../../audit/export/format.ts'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { Refusal, UsageError } from '../../errors.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, checkSpan, queryOf, type Filters } from './filters.ts'
import { manifestName } from './manifest-name.ts'

interface Options extends Filters {
  readonly format: string
  readonly out?: string
  readonly since?: string
  readonly cursor?: string
  readonly gzip?: true
  readonly personal: boolean
}

export function exportAudit(terminal: Terminal): Command {
  const command = new Command('export')
    .description('export the audit log; needs the role auditor, and is itself on record')
    .addOption(
      new Option('--format <format>', 'ndjson alone can be verified')
        .choices(formatNames)
        .default('ndjson'),
    )
    .option(
      '--out <file>',
      'write here, and not to standard output, with a manifest beside it; the file must not exist',
    )
    .option('--gzip', 'compressed')
    .option('--no-personal', 'without what can be erased: who, attributes and details')
    .option(
      '--cursor <index>',
      'go on at this index of the log: one more than the last event of an export that was interrupted',
    )
    .option(
      '--since <checkpoint>',
      'a checkpoint that was kept, which the log should be shown to continue',
    )
  return addFilters(command, ['from', 'to']).action(async (options: Options) => {
    const { format, out, since, cursor, gzip, personal, ...filters } = options
    checkSpan(filters)
    if (cursor !== undefined && !/^\d+$/.test(cursor))
      throw new UsageError('--cursor is no index.', 'Write a whole number, 0 or more.')
    if (since && !out)
      throw new UsageError(
        '--since goes into the manifest, so it needs --out.',
        'Add --out, with a file. For events from a time on, use --from.',
      )
    if (out && existsSync(resolve(terminal.folder, out)))
      throw new UsageError(`${out} is there already.`, 'Name another file.')
    const older = since && (await sizeOf(resolve(terminal.folder, since)))
    const plane = await connect(terminal)
    const query = queryOf(filters, {
      format,
      ...(cursor !== undefined && { cursor }),
      ...(gzip && { gzip: 'true' }),
      ...(!personal && { personal: 'false' }),
    })
    const { headers, body } = await plane.open(`/api/audit/export?${query}`)
    const lines = Readable.fromWeb(body as ReadableStream)
    if (!out) {
      await toTheEnd(async () => {
        for await (const chunk of lines) await terminal.write(chunk as Uint8Array)
      })
      return
    }
    const file = resolve(terminal.folder, out)
    const part = `${file}.part`
    await notComplete(out, part, async () => {
      // `wx`, because an export that exists may be somebody's evidence, and an incomplete one can
      // be continued.
      const sha256 = createHash('sha256')
      const written = createWriteStream(part, { flags: 'wx', mode: 0o600 })
      await pipeline(lines, (chunks) => hashed(chunks, sha256), written)
      // An incomplete export never gets the final name. Unlike renaming, linking replaces no file.
      await link(part, file)
      await unlink(part)
      const manifest = await manifestOf(plane, headers, older, sha256.digest('hex'))
      await writeFile(resolve(terminal.folder, manifestName(out)), manifest, {
        flag: 'wx',
        mode: 0o600,
      })
    })
    const written = `Written to ${out} and ${manifestName(out)}.`
    // The other formats are for reading, and do not contain what was hashed.
    if (format !== 'ndjson') return terminal.note(written)
    terminal.note(`${written} Check it with: sallyport audit verify ${out}`)
  })
}

/** The manifest, unchecked: it is checked when the export is verified. */
async function manifestOf(
  plane: ControlPlane,
  headers: Headers,
  older: string | undefined,
  sha256: string,
): Promise<string> {
  const query = new URLSearchParams({
    first: headers.get('sallyport-audit-first') ?? '',
    end: headers.get('sallyport-audit-end') ?? '',
    ...(older && { since: older }),
  })
  const manifest = await plane.get(`/api/audit/manifest?${query.toString()}`, z.looseObject({}))
  return `${JSON.stringify({ ...manifest, sha256 }, null, 2)}\n`
}

async function* hashed(chunks: AsyncIterable<Buffer>, sha256: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    sha256.update(chunk)
    yield chunk
  }
}

/** Its second line says how many events it covers (C2SP tlog-checkpoint). */
async function sizeOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${file} cannot be read (${error.code}).`,
      'Name a checkpoint that you kept. For events from a time on, use --from.',
    )
  })
  const size = text.split('\n')[1]
  if (size && /^\d+$/.test(size)) return size
  throw new UsageError(`${file} is no checkpoint.`, 'Name what /api/audit/checkpoint gave.')
}

/** For standard output, of which no file is left to continue from. */
async function toTheEnd(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const said = `The export is not complete: ${code ?? message}. Go on with --cursor, one more than the last index that is there.`
    throw new Refusal(said, {}, { cause })
  }
}

async function notComplete(out: string, part: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    const rest = existsSync(part)
      ? `What there is of it is in ${out}.part.`
      : 'Nothing was written: is there such a folder, and may you write there?'
    const said = `The export to ${out} is not complete: ${code ?? message}. ${rest}`
    throw new Refusal(said, {}, { cause })
  }
}
